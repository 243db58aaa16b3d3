import { isSallyportError } from '#errors';

/** Work done again and again, one run at a time. */
export interface Job {
  /** Of its last run that ended. */
  readonly state: JobState;
  /** Runs it now, or once more when it is running. Resolves after a run that began later than the call; never throws. */
  trigger(): Promise<void>;
  /** Lets the run under way end, and starts none after it. */
  stop(): Promise<void>;
}

export interface JobState {
  readonly name: string;
  /** Milliseconds since the epoch; null: never, since the process started. */
  readonly succeededAt: number | null;
  /** What the last run failed with; null where it did not. */
  readonly fault: string | null;
}

export function startJob(settings: {
  readonly name: string;
  readonly intervalMilliseconds: number;
  readonly run: () => Promise<void>;
  readonly now: () => number;
  /** A failed run is reported, once for as long as the same fault lasts, and tried again at the next interval. */
  readonly report: (fault: { id: string; error: unknown }) => void;
}): Job {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let stopped = false;
  let succeededAt: number | null = null;
  let fault: string | null = null;

  const once = async () => {
    try {
      await settings.run();
      fault = null;
      succeededAt = settings.now();
    } catch (error) {
      const words = isSallyportError(error) ? error.message : String(error);
      if (words !== fault) settings.report({ id: settings.name, error });
      fault = words;
    }
  };
  const start = (): Promise<void> => {
    running = once().finally(() => {
      running = null;
    });
    return running;
  };
  const trigger = (): Promise<void> => {
    if (stopped) return Promise.resolve();
    if (running === null) return start();
    next ??= running.then(() => {
      next = null;
      return stopped ? undefined : start();
    });
    return next;
  };
  const timer = setInterval(() => void trigger(), settings.intervalMilliseconds);
  return {
    get state() {
      return { name: settings.name, succeededAt, fault };
    },
    trigger,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
