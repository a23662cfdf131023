import { Button, Heading } from "@primer/react";
import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { enter } from "../identity";
import { Wrong } from "../parts/faces";
import { demoToken } from "../service/client";
import { told } from "../told";

/** What is shown to who brings no token. */
export function Door() {
  useEffect(() => {
    document.title = "Credits";
  }, []);
  return (
    <main className="door">
      <Heading as="h1" variant="medium">
        Credits
      </Heading>
      {told.demo ? <Demo /> : <SignIn />}
    </main>
  );
}

function Demo() {
  const opening = useMutation({ mutationFn: demoToken, onSuccess: enter });
  return (
    <>
      <p>
        This is a demo of prepaid. You can buy credits as a user who is made up, and pay with test
        cards at a simulated Stripe. No real money moves.
      </p>
      {opening.isError && <Wrong what="The demo" error={opening.error} />}
      <Button
        variant="primary"
        size="large"
        loading={opening.isPending}
        onClick={() => opening.mutate()}
      >
        Open as the demo user
      </Button>
    </>
  );
}

function SignIn() {
  return (
    <p>
      To see your credits, open this page from the platform that you use: it knows who you are. If
      you came from there, you were away for long; go back and open it again.
    </p>
  );
}
