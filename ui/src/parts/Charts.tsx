import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { Loading } from "./faces";

const Drawn = lazy(() => import("./DrawnCharts"));

const NEAR = "200px";

/** The charts. What draws them is loaded when somebody comes near: it is as large as the page. */
export function Charts() {
  const place = useRef<HTMLDivElement>(null);
  const near = useNear(place);
  return (
    <div ref={place} className="charts">
      {near && (
        <Suspense fallback={<Loading what="the charts" />}>
          <Drawn />
        </Suspense>
      )}
    </div>
  );
}

/** Whether an element was ever near what is seen of the page. */
function useNear(place: { readonly current: Element | null }): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    if (near || !place.current) return;
    const looking = new IntersectionObserver(
      (seen) => setNear(seen.some((one) => one.isIntersecting)),
      { rootMargin: NEAR },
    );
    looking.observe(place.current);
    return () => looking.disconnect();
  }, [near, place]);
  return near;
}
