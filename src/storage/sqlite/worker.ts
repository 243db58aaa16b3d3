import { serveStore } from '../thread/serve-store.ts';
import { type SqliteOptions, SqliteStore } from './sqlite-store.ts';

await serveStore((options) => new SqliteStore(options as SqliteOptions));
