import { useState } from "react";
import { Field } from "../kit/Field";
import { useStore } from "../kit/store";
import { TextField } from "../kit/TextField";
import { toast } from "../kit/toasts";
import { codecAddress, mayCarryToken } from "../payloads/codec";
import { useNamespace } from "../shell/useNamespace";
import { changeSettings, codecStore, codecTokenStore, type Settings, useSettings } from "./store";

function Choice<K extends keyof Settings>({
  legend,
  name,
  options,
}: {
  legend: string;
  name: K;
  options: [Settings[K], string][];
}) {
  const settings = useSettings();
  return (
    <fieldset className="field">
      <legend>{legend}</legend>
      <div className="choices">
        {options.map(([value, label]) => (
          <label key={value} className="check">
            <input
              type="radio"
              name={name}
              checked={settings[name] === value}
              onChange={() => changeSettings({ [name]: value })}
            />{" "}
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function SettingsPage() {
  return (
    <div className="page narrow">
      <header className="page-header">
        <h1>Settings</h1>
      </header>
      <p className="faint">All of this is kept in this browser.</p>
      <section className="card" aria-labelledby="settings-look">
        <h2 id="settings-look">Look</h2>
        <Choice
          legend="Theme"
          name="theme"
          options={[
            ["system", "As the system"],
            ["light", "Light"],
            ["dark", "Dark"],
          ]}
        />
        <Choice
          legend="Times"
          name="times"
          options={[
            ["relative", "Relative to now"],
            ["local", "Of this place"],
            ["utc", "UTC"],
          ]}
        />
        <Choice
          legend="Density"
          name="density"
          options={[
            ["compact", "Compact"],
            ["comfortable", "Comfortable"],
          ]}
        />
      </section>
      <CodecForm />
    </div>
  );
}

function CodecForm() {
  const namespace = useNamespace();
  const stored = useStore(codecStore);
  const storedToken = useStore(codecTokenStore);
  const [endpoint, setEndpoint] = useState(stored.endpoint);
  const [token, setToken] = useState(storedToken);
  const [cookies, setCookies] = useState(stored.includeCredentials);
  let error: string | undefined;
  let address: string | undefined;
  if (endpoint.trim() !== "") {
    try {
      address = codecAddress(
        { endpoint: endpoint.trim(), includeCredentials: cookies },
        namespace,
        "decode",
      );
    } catch (thrown) {
      error = (thrown as Error).message;
    }
  }
  const tokenError =
    token !== "" && address !== undefined && !mayCarryToken(address)
      ? "A token is only sent over https, or to this machine."
      : undefined;
  return (
    <form
      className="card"
      aria-labelledby="settings-codec"
      onSubmit={(event) => {
        event.preventDefault();
        if (error !== undefined) return;
        codecStore.set({ endpoint: endpoint.trim(), includeCredentials: cookies });
        codecTokenStore.set(token);
        toast({
          kind: "good",
          title: endpoint.trim() === "" ? "No codec server is used" : "The codec server is used",
        });
      }}
    >
      <h2 id="settings-codec">Codec server</h2>
      <p>
        Decodes payloads that workers encrypted or compressed. This browser asks it directly: what
        it decodes does not pass the server, and it must allow this page (CORS).
      </p>
      <Field
        label="Endpoint"
        error={error}
        hint={
          address === undefined ? (
            <>
              <code>{"{namespace}"}</code> in it stands for the namespace. Empty: nothing is
              decoded.
            </>
          ) : (
            <>
              In the namespace {namespace}: <code>{address}</code>
            </>
          )
        }
      >
        {(props) => (
          <input
            {...props}
            className="input"
            inputMode="url"
            placeholder="https://codec.example.org/{namespace}"
            value={endpoint}
            onChange={(event) => setEndpoint(event.target.value)}
          />
        )}
      </Field>
      <TextField
        label="Bearer token"
        error={tokenError}
        hint="Kept until this tab is closed."
        type="password"
        autoComplete="off"
        value={token}
        onChange={setToken}
      />
      <label className="check">
        <input
          type="checkbox"
          checked={cookies}
          onChange={(event) => setCookies(event.target.checked)}
        />{" "}
        Send the cookies of the codec server's site
      </label>
      <footer className="form-footer">
        <button type="submit" className="button primary" disabled={error !== undefined}>
          Save
        </button>
      </footer>
    </form>
  );
}
