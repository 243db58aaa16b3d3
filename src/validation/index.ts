export { type Identifier, identifierProblem } from './identifier.ts';
