export const wait = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** Asks again and again until the answer is an empty list; else, when the time is over, what it was last. */
export async function until(
  ask: () => Promise<readonly string[]>,
  milliseconds: number,
): Promise<readonly string[]> {
  for (const end = performance.now() + milliseconds; ;) {
    const left = await ask();
    if (left.length === 0 || performance.now() > end) return left;
    await wait(50);
  }
}
