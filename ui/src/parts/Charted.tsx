import { type ReactNode, useId, useState } from "react";
import { Pick } from "./Pick";

const FORMS = ["Chart", "Table"] as const;
export type Form = (typeof FORMS)[number];

interface ChartedProps {
  readonly title: string;
  readonly choice?: ReactNode;
  /** What is shown, also while it is waited for: what was chosen stays chosen. */
  readonly show: (form: Form) => ReactNode;
}

/** The same numbers twice: as a picture, and as a table for who wants them exactly, or can't see. */
export function Charted({ title, choice, show }: ChartedProps) {
  const name = useId();
  const [form, setForm] = useState<Form>("Chart");
  return (
    <section className="charted" aria-labelledby={name}>
      <div className="charted-name">
        <h2 id={name}>{title}</h2>
        <div className="charted-choices">
          {choice}
          <Pick
            label={`How to show: ${title}`}
            of={FORMS}
            picked={form}
            named={(one) => one}
            pick={setForm}
          />
        </div>
      </div>
      {show(form)}
    </section>
  );
}

/** A table that scrolls in both directions when it has to. */
export function Rows({ name, children }: { name: string; children: ReactNode }) {
  const title = useId();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls takes the keyboard
    <section className="sideways tall" aria-labelledby={title} tabIndex={0}>
      <table className="entries">
        <caption id={title} className="hidden">
          {name}
        </caption>
        {children}
      </table>
    </section>
  );
}
