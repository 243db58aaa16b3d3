import type { RequestListener } from 'node:http';
import { startAdminSocket } from '#admin';
import type { AdminListener, Configuration } from '#config';

export interface AdminSocketClaim {
  /** From now on calls are answered. */
  open(handler: RequestListener): void;
  close(): Promise<void>;
}

/**
 * Takes the admin socket before anything else is touched: one authority runs on one configuration, and a second one is
 * refused before it opens the database. Until `open`, calls are told to come again.
 */
export async function claimAdminSocket(
  configuration: Configuration,
  report: (fault: { id: string; error: unknown }) => void,
): Promise<AdminSocketClaim> {
  const { socket, maximumConnections, requestTimeoutSeconds } = adminListener(configuration);
  let handle: RequestListener = (_request, response) => {
    response.writeHead(503, { 'Retry-After': '1', 'Content-Length': '0' }).end();
  };
  const handler: RequestListener = (request, response) => handle(request, response);
  const running = await startAdminSocket({
    socket,
    handler,
    report,
    maximumConnections,
    requestTimeoutSeconds,
  });
  return {
    open(opened) {
      handle = opened;
    },
    close: () => running.close(),
  };
}

/** A list of devices may be longer than any other body: 100,000 devices fit. */
export function adminLimits(configuration: Configuration): { usual: number; deviceList: number } {
  return { usual: adminListener(configuration).maximumBodyBytes, deviceList: 32 * 1024 * 1024 };
}

function adminListener({ listeners }: Configuration): AdminListener {
  return listeners.find((listener) => listener.class === 'admin')!;
}
