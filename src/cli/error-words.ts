import { isSallyportError } from '#errors';
import { printable } from './render/printable.ts';

/** One line: what is wrong; what to do. */
export function errorLine(error: unknown): string {
  if (isSallyportError(error)) return `sallyport: ${error.message.split('\n').map(printable).join('\n  ')}`;
  const message = error instanceof Error ? error.message : String(error);
  return `sallyport: ${printable(message)}; SALLYPORT_DEBUG=1 shows where`;
}

/** Error and causes, with the stack where it is no refusal but a fault. For the operator of the server only. */
export function errorDetails(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  const own =
    isSallyportError(error) && error.code !== 'internal'
      ? `${error.code}: ${error.message}`
      : (error.stack ?? error.message);
  return error.cause === undefined ? own : `${own}; caused by ${errorDetails(error.cause)}`;
}
