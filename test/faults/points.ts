/** Durable operations that the serving thread asks of the store's thread while clients enroll. */
const serving = ['reserve', 'close', 'record', 'hold', 'approveRequest', 'revokeCertificate', 'saveNote'];
const recovering = ['abandonIntent', 'saveCrl'];
const erasing = ['eraseDevice'];

/** Operations of which the probe knows when they are committed. */
export const durableOperations: ReadonlySet<string> = new Set([...serving, ...recovering, ...erasing]);

/**
 * The four moments of a durable operation: it goes to the store; all of it is done and the commit comes next; it is committed and nobody knows;
 * the serving thread has the answer and has done nothing with it.
 */
const moments = ['asked', 'performed', 'committed', 'answered'];

const ofOperations = (names: readonly string[]) =>
  names.flatMap((name) => moments.map((moment) => `${name}:${moment}`));

/** Reached while clients enroll. */
export const servingPoints: readonly string[] = [
  'observe:answered',
  ...ofOperations(serving),
  'saveSinkCursor:asked',
  'saveSinkCursor:answered',
  'signature:made',
  'answer:before',
  'answer:sent',
  'checkpoint:written',
  'checkpoint:renamed',
  'sink:torn',
  'sink:appended',
  'sink:synced',
];

/** Reached at a start after a crash that left intents open: their sweep, and the CRL that follows. */
export const recoveryPoints: readonly string[] = ['expiredIntents:answered', ...ofOperations(recovering)];

/** Reached while a device is erased. Behind the commit, SQLite still has to empty its WAL. */
export const erasurePoints: readonly string[] = [...ofOperations(erasing), 'answer:before', 'answer:sent'];

/** What leaves an intent open, so that there is something to recover from. */
export const leavesIntent = 'reserve:answered';
