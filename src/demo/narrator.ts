import { styleText } from 'node:util';

/** Who acts in a line: the payer in the frontend, what the server pushes, the payer at a provider, the merchant's side. */
export type Actor = 'payer' | 'live' | 'Stripe' | 'Bank X' | 'shop';

type Style = Parameters<typeof styleText>[0];

const ACTOR_STYLES: Readonly<Record<Actor, Style>> = {
  payer: 'cyan',
  live: 'magenta',
  Stripe: 'blue',
  'Bank X': 'blue',
  shop: 'yellow',
};

const TIME_WIDTH = 10;
const ACTOR_WIDTH = 8;

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

  /** Belongs to the step before it. */
  more(text: string): void {
    this.write(`${' '.repeat(TIME_WIDTH + 2 + ACTOR_WIDTH)}${text}`);
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
