const WIDTH = 30;

export interface ProgressBar {
  show(done: number): void;
  /** Leaves the line empty. */
  end(): void;
}

/** The part of a terminal that it needs. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** One line that is written over and over; nothing at all where nobody looks. @param about how many there will be. */
export function startProgressBar(terminal: Terminal, name: string, about: number): ProgressBar {
  if (!terminal.isTTY) return { show: () => {}, end: () => {} };
  const show = (done: number): void => {
    terminal.write(`\r${progressLine(name, done, about)}\u001b[K`);
  };
  show(0);
  return { show, end: () => void terminal.write('\r\u001b[K') };
}

export function progressLine(name: string, done: number, about: number): string {
  // How many the provider has is known only in the end, so the bar is never quite full before.
  const share = Math.min(done / Math.max(about, 1), 0.99);
  const filled = Math.round(share * WIDTH);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`;
  return `${name}  ${bar}  ${done} of about ${Math.max(about, done)} payments`;
}
