import { styleText } from 'node:util';

/** Who acts in a line: the payer in the frontend, what the server pushes, the payer at a provider, the merchant's side. */
export type Actor =
  'payer' | 'live' | 'phone' | 'Stripe' | 'PawaPay' | 'PayDunya' | 'Bank X' | 'shop' | 'mail' | 'backend';

type Style = Parameters<typeof styleText>[0];

const ACTOR_STYLES: Readonly<Record<Actor, Style>> = {
  payer: 'cyan',
  live: 'magenta',
  phone: 'blue',
  Stripe: 'blue',
  PawaPay: 'blue',
  PayDunya: 'blue',
  'Bank X': 'blue',
  shop: 'yellow',
  mail: 'green',
  backend: 'yellow',
};

const TIME_WIDTH = 10;
const ACTOR_WIDTH = 10;
const MORE_INDENTATION = TIME_WIDTH + 2 + ACTOR_WIDTH;
const WIDEST_LINE = 100;

/** Tells the story on the terminal, one aligned line for each thing that happens, with the time since the story began. */
export class Narrator {
  private begun = performance.now();

  constructor(
    private readonly write: (line: string) => void,
    private readonly hasColours: boolean,
  ) {}

  title(text: string): void {
    this.write(`\n${this.styled('bold', text)}\n`);
    this.begun = performance.now();
  }

  step(actor: Actor, text: string): void {
    const time = `${Math.round(performance.now() - this.begun)} ms`.padStart(TIME_WIDTH);
    const name = this.styled(ACTOR_STYLES[actor], actor.padEnd(ACTOR_WIDTH));
    this.write(`${this.styled('dim', time)}  ${name}${text}`);
  }

  /** Belongs to the step before it. @param label at its beginning; what doesn't fit into a line goes on below its end. */
  more(text: string, label = '', labelBelow = ' '.repeat(label.length)): void {
    const width = WIDEST_LINE - MORE_INDENTATION - label.length;
    const lines = text.match(new RegExp(`.{1,${width}}(?= |$)|[^ ]+`, 'g')) ?? [''];
    for (const [index, line] of lines.entries()) {
      const shown = index === 0 ? label + line : labelBelow + line.trimStart();
      this.write(' '.repeat(MORE_INDENTATION) + shown.trimEnd());
    }
  }

  /** Something that came, as it is. */
  quote(text: string): void {
    for (const line of text.split(/\r?\n/)) {
      const unindented = line.trimStart();
      const bar = `│ ${' '.repeat(line.length - unindented.length)}`;
      this.more(unindented, bar, bar);
    }
  }

  plain(text: string): void {
    this.write(text);
  }

  good(text: string): string {
    return this.styled(['bold', 'green'], text);
  }

  bad(text: string): string {
    return this.styled('red', text);
  }

  waiting(text: string): string {
    return this.styled('yellow', text);
  }

  private styled(style: Style, text: string): string {
    return this.hasColours ? styleText(style, text) : text;
  }
}
