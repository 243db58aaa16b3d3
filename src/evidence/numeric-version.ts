/** Whether a version of numbers with dots is not below another. What is absent, or no such version, reaches none. */
export function reachesVersion(version: string | null, minimum: string): boolean {
  const numbers = numbersOf(version);
  const floor = numbersOf(minimum);
  if (numbers === null || floor === null) return false;
  for (let at = 0; at < Math.max(numbers.length, floor.length); at += 1) {
    const difference = (numbers[at] ?? 0) - (floor[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

export function isNumericVersion(version: string | null): version is string {
  return numbersOf(version) !== null;
}

function numbersOf(version: string | null): readonly number[] | null {
  if (version === null || !/^[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}$/.test(version)) return null;
  return version.split('.').map(Number);
}
