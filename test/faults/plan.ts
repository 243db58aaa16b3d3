/** Where a process ends, or stands still: read from a file by the probe, so that it can be given while the process runs. */
export interface Plan {
  /** A new one begins to count anew. */
  readonly id: number;
  /** Of points.ts. */
  readonly point: string;
  /** The how manieth time that it is reached. */
  readonly nth: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** Variables of the environment that the probe reads. */
export const probeVariables = {
  /** The file of the plan. */
  plan: 'FAULTS_PLAN',
  /** How far the wall clock is ahead, milliseconds. */
  ahead: 'FAULTS_AHEAD',
  /** 'sqlite' or 'postgres'. */
  database: 'FAULTS_DATABASE',
} as const;
