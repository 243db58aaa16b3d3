import { serveStore } from '../thread/serve-store.ts';
import { PostgresStore, type PostgresStoreOptions } from './postgres-store.ts';

await serveStore((options) => PostgresStore.open(options as PostgresStoreOptions));
