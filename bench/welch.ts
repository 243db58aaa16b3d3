/** Welch's t of two samples: by how many standard errors their means differ. */
export function welch(left: readonly number[], right: readonly number[]): number {
  const [one, other] = [moments(left), moments(right)];
  return (one.mean - other.mean) / Math.sqrt(one.variance / left.length + other.variance / right.length);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function moments(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance };
}
