import type { Session } from '../session.ts';

/** On a terminal one line that counts, rewritten in place. */
export function progressOn({ terminal, json }: Session): (done: number, size: number) => void {
  if (json || !terminal.outIsTerminal) return () => {};
  let shownAt = 0;
  return (done, size) => {
    const now = terminal.now();
    if (done < size && now - shownAt < 200) return;
    shownAt = now;
    terminal.err(done < size ? `\r${done} of ${size} entries` : '\r\u001B[K');
  };
}
