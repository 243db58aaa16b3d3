declare const meaning: unique symbol;

/** The text of a column that holds a value as JSON. */
export type JsonText<Value> = string & { readonly [meaning]: Value };

export function toJson<Value>(value: Value): JsonText<Value> {
  return JSON.stringify(value) as JsonText<Value>;
}

/** What is read back is what was written: nobody else writes these columns. */
export function fromJson<Value>(text: JsonText<Value>): Value {
  return JSON.parse(text) as Value;
}
