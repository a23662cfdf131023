import { Button } from "@primer/react";
import { useMutation } from "@tanstack/react-query";
import type { NamedFile } from "../service/queries";
import { Wrong } from "./faces";

/** All that matches, as a file. It is asked for with the token, so a plain link can't get it. */
export function SaveCsv({ file }: { file: () => Promise<NamedFile> }) {
  const saving = useMutation({
    mutationFn: file,
    onSuccess: ({ blob, name }) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // the browser reads it meanwhile
    },
  });
  return (
    <>
      <div className="actions before">
        <Button loading={saving.isPending} onClick={() => saving.mutate()}>
          Save as CSV
        </Button>
      </div>
      {saving.isError && <Wrong what="The file" error={saving.error} />}
    </>
  );
}
