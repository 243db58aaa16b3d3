/** Work done again and again, one run at a time. */
export interface Job {
  /** Runs it now, or once more when it is running. Resolves after a run that began later than the call; never throws. */
  trigger(): Promise<void>;
  /** Lets the run under way end, and starts none after it. */
  stop(): Promise<void>;
}

export function startJob(settings: {
  readonly name: string;
  readonly intervalMilliseconds: number;
  readonly run: () => Promise<void>;
  /** A failed run is reported, once for as long as the same fault lasts, and tried again at the next interval. */
  readonly report: (fault: { id: string; error: unknown }) => void;
}): Job {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let stopped = false;
  let lastFault: string | null = null;

  const once = async () => {
    try {
      await settings.run();
      lastFault = null;
    } catch (error) {
      const words = String(error);
      if (words !== lastFault) settings.report({ id: settings.name, error });
      lastFault = words;
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
    trigger,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
