import type { KeyObject } from 'node:crypto';
import {
  type ApiListener,
  type Configuration,
  type Environment,
  readSecret,
  type TlsListener,
} from '#config';
import { SallyportError } from '#errors';
import { openTransportKey } from '#keys';
import { readTextNow } from './read-text.ts';

/** Of each listener that has TLS, by its name. */
export type TransportKeys = ReadonlyMap<string, KeyObject>;

/** @throws SallyportError 'config', naming the listener */
export async function openTransportKeys(
  configuration: Configuration,
  environment: Environment,
): Promise<TransportKeys> {
  const opening = listenersWithTls(configuration).map(async ({ name, tls: { key } }) => {
    const pem = readTextNow(key.file);
    const passphrase =
      key.passphrase === null ? undefined : readSecret(key.passphrase, configuration.directory, environment);
    try {
      return [name, await openTransportKey(pem, passphrase)] as const;
    } catch (cause) {
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new SallyportError('config', `listener ${name} cannot use its certificate and key: ${words}`, {
        cause,
      });
    }
  });
  return new Map(await Promise.all(opening));
}

export function listenersWithTls({ listeners }: Configuration): (TlsListener | ApiListener)[] {
  return listeners.filter(
    (listener) => listener.class === 'api' || (listener.class === 'enroll' && listener.tls !== null),
  );
}
