type Value = number | boolean;
type Operation = (a: number, b: number) => Value;

// From the weakest binding on. Division is that of whole numbers.
const LEVELS: readonly Readonly<Record<string, Operation>>[] = [
  { '||': (a, b) => Boolean(a) || Boolean(b) },
  { '&&': (a, b) => Boolean(a) && Boolean(b) },
  { '==': (a, b) => a === b, '!=': (a, b) => a !== b },
  { '<=': (a, b) => a <= b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '>': (a, b) => a > b },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => Math.floor(a / b), '%': (a, b) => a % b },
];

/**
 * The value of an expression of names, whole numbers, `! || && == != < > <= >= + - * / %` and parentheses.
 *
 * @throws SyntaxError for anything else, and for a name that has no value
 */
export function evaluate(text: string, values: ReadonlyMap<string, Value>): Value {
  const tokens = text.match(/\w+|\|\||&&|[=!<>]=|\S/g) ?? [];
  let at = 0;

  function level(depth: number): Value {
    const operations = LEVELS[depth];
    if (!operations) return unary();
    let value = level(depth + 1);
    while (at < tokens.length && Object.hasOwn(operations, tokens[at]!)) {
      const operation = operations[tokens[at++]!]!;
      value = operation(Number(value), Number(level(depth + 1)));
    }
    return value;
  }

  function unary(): Value {
    const token = tokens[at++];
    if (token === '!') return !unary();
    if (token === '(') {
      const value = level(0);
      if (tokens[at++] !== ')') throw new SyntaxError(`"${text}": a parenthesis is not closed`);
      return value;
    }
    if (token !== undefined && /^\d+u?$/.test(token)) return parseInt(token, 10);
    const value = token === undefined ? undefined : values.get(token);
    if (value === undefined) {
      throw new SyntaxError(`"${text}": ${token ?? 'the end'} is neither a number nor a name that was given`);
    }
    return value;
  }

  const value = level(0);
  if (at < tokens.length) throw new SyntaxError(`"${text}": ${tokens[at]} was not expected`);
  return value;
}
