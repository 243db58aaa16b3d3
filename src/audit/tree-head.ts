/** What a checkpoint says of the tree: how many entries, and the hash over all of them. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}
