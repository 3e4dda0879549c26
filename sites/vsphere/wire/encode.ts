/**
 * Turns our plain values into what the `soap` package writes as XML.
 * Rule: fields go out in schema order along the whole type chain, base first; an unknown, missing or null field is our
 * own mistake and is found here, not by vCenter. Never writes xsi:nil, never an unbound prefix.
 */
import { defect } from '../../../model/failure.ts';
import { chainOf, fieldsOf, fieldType, isKnownType, type MethodName, methodEntry, type Ref } from './shapes.ts';

const xsd = 'http://www.w3.org/2001/XMLSchema';

type Encoded = string | { [key: string]: unknown };
type Given = Readonly<Record<string, unknown>>;

const wrong = (subject: string, message: string): Error =>
  defect({ op: 'vim encode', subject, message, hint: 'This is a mistake in Homeward: report it with this message.' });

const isObject = (value: unknown): value is Given =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isRef = (value: unknown): value is Ref =>
  isObject(value) && typeof value.type === 'string' && typeof value.value === 'string' && !('$type' in value);

const encodeRef = (value: Ref): Encoded => ({ attributes: { type: value.type }, $value: value.value });

/** A value in a place that takes anything must say what it is; the package declares no xsd prefix, so the attribute does. */
function encodeAny(value: unknown, where: string): Encoded {
  const scalar = (type: string): Encoded => ({
    attributes: { 'xsi:type': `xsd:${type}`, 'xmlns:xsd': xsd },
    $value: String(value),
  });
  if (typeof value === 'string') return scalar('string');
  if (typeof value === 'boolean') return scalar('boolean');
  if (Number.isSafeInteger(value)) return scalar('int');
  if (isObject(value) && typeof value.$type === 'string') return encodeType(value.$type, value, where);
  throw wrong(where, `a value of type ${typeof value} cannot be sent as anyType`);
}

function encodeScalar(type: string, value: unknown, where: string): Encoded {
  const fits =
    type === 'boolean'
      ? typeof value === 'boolean'
      : type === 'int' || type === 'long'
        ? Number.isSafeInteger(value) || (type === 'long' && typeof value === 'bigint')
        : typeof value === 'string';
  if (!fits) throw wrong(where, `expected ${type}, got ${value === null ? 'null' : typeof value}`);
  return String(value);
}

function encodeOne(type: string, value: unknown, where: string): Encoded {
  if (type === 'any') return encodeAny(value, where);
  if (type === 'ref') {
    if (isRef(value)) return encodeRef(value);
    throw wrong(where, 'expected a managed object reference');
  }
  if (!isKnownType(type)) return encodeScalar(type, value, where);
  if (!isObject(value)) throw wrong(where, `expected ${type}`);
  return encodeType(type, value, where);
}

function encodeFields(fields: readonly [string, string][], value: Given, where: string): { [key: string]: unknown } {
  const out: { [key: string]: unknown } = {};
  const known = new Set(['$type', ...fields.map(([name]) => name)]);
  const stray = Object.keys(value).find((name) => !known.has(name));
  if (stray !== undefined) throw wrong(where, `"${stray}" is not a field of ${where}`);
  for (const [name, text] of fields) {
    const field = fieldType(text);
    const given = value[name];
    const at = `${where}.${name}`;
    if (given === undefined) {
      if (!field.optional) throw wrong(at, 'a required field is missing');
    } else if (field.list) {
      if (!Array.isArray(given)) throw wrong(at, 'expected a list');
      if (given.length > 0) out[name] = given.map((item) => encodeOne(field.name, item, at));
    } else out[name] = encodeOne(field.name, given, at);
  }
  return out;
}

/** Encodes a value of the declared type, or of the derived type its `$type` names. */
function encodeType(declared: string, value: Given, where: string): Encoded {
  const actual = typeof value.$type === 'string' ? value.$type : declared;
  if (!isKnownType(actual) || !chainOf(actual).includes(declared))
    throw wrong(where, `${actual} is not a ${declared}, or not in the table`);
  const out = encodeFields(fieldsOf(actual), value, actual);
  return actual === declared ? out : { attributes: { 'xsi:type': actual }, ...out };
}

/** The body of a call: `_this` first, then the arguments in schema order. */
export function encodeCall(method: MethodName, on: Ref, args: Given): { [key: string]: unknown } {
  const fields = Object.entries(methodEntry(method).args);
  return { _this: encodeRef(on), ...encodeFields(fields, args, method) };
}
