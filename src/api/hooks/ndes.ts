import { createUnboundSecret } from '#admin';
import { isSallyportError } from '#errors';
import type { ApiListenerInForce, Refusal, Reply } from '../call.ts';
import type { Route } from '../route.ts';
import { actorOf, templateRefusal } from '../secret-routes.ts';

/** Of who looks for the words of NDES and not for a status. */
const noPermission = page('<P> You do not have sufficient permission to enroll with SCEP. ');
const cacheFull = page('<P> The password cache is full. ');

/**
 * The page of Microsoft's NDES from which others take a challenge: Fleet looks for "The enrollment challenge password is: <B> ", scripts for 16 upper-case hexadecimal
 * digits, and both decode UTF-16. Each view is another secret, for no device until one brings it.
 */
export function ndesRoutes(settings: NonNullable<ApiListenerInForce['ndes']>): readonly Route[] {
  const at = (path: Route['path']): Route => ({
    method: 'GET',
    path,
    act: 'secret.create',
    summary: 'The page of NDES.',
    scope: 'secrets:create',
    forbidden: noPermission,
    basic: true,
    changes: true,
    input: null,
    output: null,
    async run({ admin }, call) {
      const { template, lifetimeSeconds } = settings;
      const refusal = templateRefusal(call, template);
      if (refusal !== null) return { ...refusal, page: noPermission };
      try {
        const { secret } = await createUnboundSecret(admin, actorOf(call), settings);
        return page(
          `<P> The enrollment challenge password is: <B> ${secret} </B> <P> It can be used once, within ${Math.ceil(lifetimeSeconds / 60)} minutes. `,
        );
      } catch (error) {
        if (!isSallyportError(error, 'conflict')) throw error;
        return full;
      }
    },
  });
  return [at('/certsrv/mscep_admin'), at('/certsrv/mscep_admin/')];
}

/** NDES answers 200, and so does who stands in for it: the words are what is looked for. */
const full: Refusal = {
  reason: 'password-cache',
  status: 200,
  words: 'the password cache is full',
  page: cacheFull,
};

function page(words: string): Reply {
  const html = `<HTML><Head><Title>Network Device Enrollment Service</Title></Head><Body>${words}</Body></HTML>`;
  return { type: 'text/html', body: Buffer.from(`\ufeff${html}`, 'utf16le') };
}
