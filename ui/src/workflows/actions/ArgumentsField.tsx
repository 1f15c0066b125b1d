import { useId } from "react";
import { Icon } from "../../kit/icons";
import { useStore } from "../../kit/store";
import { codecStore } from "../../settings/store";
import { type Argument, argumentError, emptyArgument } from "./arguments";

/** Arguments as JSON, as many as there are. */
export function ArgumentsField({
  label = "Input",
  args,
  onChange,
}: {
  label?: string;
  args: Argument[];
  onChange: (args: Argument[]) => void;
}) {
  const id = useId();
  const { endpoint } = useStore(codecStore);
  const change = (at: number, part: Partial<Argument>): void =>
    onChange(args.map((one, index) => (index === at ? { ...one, ...part } : one)));
  return (
    <fieldset className="field arguments">
      <legend>{label}</legend>
      {args.map((argument, at) => {
        const error = argument.text.trim() === "" ? undefined : argumentError(argument);
        return (
          <div key={at} className="argument">
            <textarea
              id={`${id}-${at}`}
              className="input mono"
              rows={Math.min(10, Math.max(2, argument.text.split("\n").length))}
              aria-label={`${label}: argument ${at + 1}, as JSON`}
              aria-invalid={error !== undefined}
              aria-describedby={error === undefined ? undefined : `${id}-${at}-error`}
              placeholder='{"key": "value"}, "text", 1, …'
              spellCheck={false}
              value={argument.text}
              onChange={(event) => change(at, { text: event.target.value })}
            />
            <div className="argument-side">
              <select
                className="input small"
                aria-label={`Encoding of argument ${at + 1}`}
                value={argument.encoding}
                onChange={(event) =>
                  change(at, { encoding: event.target.value as Argument["encoding"] })
                }
              >
                <option>json/plain</option>
                <option>json/protobuf</option>
              </select>
              {args.length > 1 && (
                <button
                  type="button"
                  className="icon-button"
                  aria-label={`Remove argument ${at + 1}`}
                  onClick={() => onChange(args.filter((_, index) => index !== at))}
                >
                  <Icon name="cross" />
                </button>
              )}
            </div>
            {error !== undefined && (
              <p id={`${id}-${at}-error`} className="hint bad">
                {error}
              </p>
            )}
          </div>
        );
      })}
      <div className="argument-foot">
        <button
          type="button"
          className="link-button"
          onClick={() => onChange([...args, emptyArgument()])}
        >
          Add an argument
        </button>
        {endpoint !== "" && (
          <span className="faint">Encoded by the codec server before it is sent.</span>
        )}
      </div>
    </fieldset>
  );
}
