import { Button, Heading } from "@primer/react";
import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { goTo } from "../address";
import { enter } from "../identity";
import { Wrong } from "../parts/faces";
import { usePending } from "../pending";
import { demoToken, type Part } from "../service/client";
import { told } from "../told";

/** What is shown to who brings no token. */
export function Door() {
  const pays = usePending().length > 0;
  useEffect(() => {
    document.title = "Credits";
  }, []);
  return (
    <main className="door">
      <Heading as="h1" variant="medium">
        Credits
      </Heading>
      {told.demo ? <Demo /> : <SignIn />}
      {pays && <NothingLost />}
    </main>
  );
}

function Demo() {
  const opening = useMutation({
    mutationFn: demoToken,
    onSuccess: (token, part: Part) => {
      if (part === "operator") goTo("console", "replace");
      enter(token);
    },
  });
  return (
    <>
      <p>
        This is a demo of prepaid. You can buy credits as a user who is made up, and pay with test
        cards at a simulated Stripe; or look behind the counter as its operator. No real money
        moves.
      </p>
      {opening.isError && <Wrong what="The demo" error={opening.error} />}
      <div className="actions">
        <Button
          variant="primary"
          size="large"
          loading={opening.isPending && opening.variables === "user"}
          onClick={() => opening.mutate("user")}
        >
          Open as the demo user
        </Button>
        <Button
          size="large"
          loading={opening.isPending && opening.variables === "operator"}
          onClick={() => opening.mutate("operator")}
        >
          Open as the operator
        </Button>
      </div>
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

/** Who was sent away while paying must not think that it was for nothing. */
function NothingLost() {
  return (
    <p>
      If you were paying, or have just paid: nothing is lost, so don't pay again. When you have come
      back, this page says where your payment stands.
    </p>
  );
}
