/** A list beyond these is split: what is read here is held in memory whole. */
export const maximumListBytes = 64 * 1024 * 1024;
export const maximumDevices = 100_000;
export const maximumColumns = 64;
