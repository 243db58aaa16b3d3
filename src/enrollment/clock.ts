/** The authority's one clock: milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/**
 * A clock that never runs backwards: a wall clock set back revives no secret and no certificate, it only stands still.
 * `floor` is the newest time that the log knows.
 */
export function steadyClock(wall: () => number, floor: number): Clock {
  let latest = floor;
  return {
    now() {
      latest = Math.max(latest, wall());
      return latest;
    },
  };
}
