import * as z from 'zod';
import { encryptedKey } from './secret-reference.ts';
import { duration, entryName, path } from './values.ts';

const sink = z.strictObject({
  ndjson: z
    .strictObject({
      file: path.describe('One JSON object a line, appended.'),
      personalFields: z
        .enum(['opened', 'sealed'])
        .prefault('opened')
        .describe(
          '`opened`: entries as they were recorded; who receives them purges what a later `device.erase` names. `sealed`: what is in the tree and nothing else, ' +
            'with no name, serial number or address of a device or person.',
        ),
    })
    .describe('Entries to a file.'),
});

export const log = z.strictObject({
  origin: z
    .string()
    .max(255)
    .regex(
      /^[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*$/,
      'an origin is a name like ca.example.com/log, without scheme and spaces',
    )
    .describe(
      'Name of the log in every checkpoint (c2sp.org/tlog-checkpoint), such as `ca.example.com/log`. Never changes.',
    ),
  key: encryptedKey.describe(
    'Ed25519 key that signs checkpoints and the manifests of backups; used for nothing else.',
  ),
  checkpointFile: path.describe(
    'Newest checkpoint, compared with the database at start. Outside `authority.data`, so that a restored database cannot bring its own.',
  ),
  anchor: z
    .strictObject({
      folder: path.describe(
        'A folder on storage that all nodes share, outside the database. Each keeps its newest checkpoint there as `NODE.checkpoint`, and reads those of all: at its start, and before it signs.',
      ),
    })
    .optional()
    .describe(
      'Where several nodes keep what they published, so that none goes on with a database that lacks what another has published.',
    )
    .meta({ otherwise: 'each knows of its own checkpoints alone' }),
  checkpointInterval: duration('1s', '1h').prefault('1s').describe('A new checkpoint at most this often.'),
  replayInterval: duration('1h', '30d')
    .prefault('1d')
    .describe(
      'One node asks the whole log again this often, as `log verify` does, in a process of its own behind all other work. What comes of it is the event `log.replayed`.',
    ),
  sinks: z
    .record(entryName, sink)
    .prefault({})
    .describe('Where entries are streamed to, each with its own durable cursor.'),
});
