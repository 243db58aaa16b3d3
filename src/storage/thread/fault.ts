import { SallyportError } from '#errors';
import type { Fault } from './messages.ts';

export function faultOf(error: unknown): Fault {
  if (error instanceof SallyportError) return { code: error.code, message: error.message };
  return {
    code: 'internal',
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  };
}

export function errorOf({ code, message }: Fault): SallyportError {
  return new SallyportError(code, message);
}
