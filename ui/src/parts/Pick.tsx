interface PickProps<T> {
  readonly label: string;
  readonly of: readonly T[];
  readonly picked: T;
  readonly named: (one: T) => string;
  readonly pick: (one: T) => void;
}

/** One of a few, side by side. Primer's own brings its menus along, which weigh as much as a view. */
export function Pick<T>({ label, of, picked, named, pick }: PickProps<T>) {
  return (
    <fieldset className="pick">
      <legend className="hidden">{label}</legend>
      {of.map((one) => (
        <button
          key={named(one)}
          type="button"
          aria-pressed={one === picked}
          onClick={() => pick(one)}
        >
          {named(one)}
        </button>
      ))}
    </fieldset>
  );
}
