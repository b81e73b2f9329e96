/** Says what is being done now: over the last line on a terminal, line by line elsewhere. */
export type Progress = (doing: string) => void;

export function showProgress(): Progress {
  const started = performance.now();
  return (doing) => {
    const seconds = ((performance.now() - started) / 1_000).toFixed(0).padStart(4);
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${seconds} s  ${doing}`);
    else process.stderr.write(`${seconds} s  ${doing}\n`);
  };
}

export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}
