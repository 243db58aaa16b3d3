/** Durable operations that the serving thread asks of the store's thread while clients enroll. */
const serving = ['reserve', 'close', 'record', 'hold', 'approveRequest', 'revokeCertificate', 'saveNote'];
/** Of a TPM that proves its attestation key, beside those of an enrollment. */
const activating = ['giveActivation', 'takeActivation'];
const recovering = ['abandonIntent', 'saveCrl'];
/** Beside `reserve`, `close` and the others of an enrollment. */
const ordering = ['createAccount', 'createOrder', 'respond', 'validated'];
const takingOver = ['takeDue', 'validated'];
const erasing = ['eraseDevice'];

/** Operations of which the probe knows when they are committed. */
export const durableOperations: ReadonlySet<string> = new Set([
  ...serving,
  ...activating,
  ...recovering,
  ...ordering,
  ...takingOver,
  ...erasing,
]);

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
  ...ofOperations(activating),
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

/** Reached while clients order over ACME: each message uses a nonce first. */
export const orderingPoints: readonly string[] = [
  'useNonce:asked',
  'useNonce:answered',
  ...ofOperations(ordering),
  'observe:answered',
  ...ofOperations(['reserve', 'close', 'hold', 'revokeCertificate']),
  'signature:made',
  ...['challenge', 'finalize', 'certificate'].flatMap((step) => [`${step}:before`, `${step}:sent`]),
];

/** Reached at a start after a crash between the answer to a challenge and its proof: another look is taken for it. */
export const takeoverPoints: readonly string[] = ['dueAuthorizations:answered', ...ofOperations(takingOver)];

/** What leaves a challenge answered, and nobody looking for its proof. */
export const leavesAnswer = 'respond:answered';
