import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";

import { type Picture, pictureOf } from "./image-bytes";
import { visible } from "./visible";

interface Props {
  readonly mediaType?: string | undefined;
  readonly data?: string | undefined;
  readonly url?: string | undefined;
}

/** An image of the file; or what it is and where it would be, which is never loaded. */
export function Image({ mediaType, data, url }: Props): JSX.Element {
  const source = useMemo(() => sourceOf({ mediaType, data, url }), [mediaType, data, url]);
  if (source.data === undefined) return <Absent what="Image that is not in this file" mediaType={source.mediaType} at={source.url} />;
  const found = pictureOf(source.mediaType, source.data);
  if (typeof found === "string") return <Absent what={`Image: ${found}`} mediaType={source.mediaType} />;
  return <Shown picture={found} />;
}

/** A `data:` address is the image itself. */
function sourceOf(props: Props): Props {
  const match = /^data:([\w.+/-]{0,80});base64,/i.exec(props.data ?? props.url ?? "");
  if (match === null) return props;
  const data = (props.data ?? props.url ?? "").slice(match[0].length);
  return { mediaType: match[1], data };
}

function Shown({ picture }: { readonly picture: Picture }): JSX.Element {
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([picture.bytes], { type: picture.mediaType }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [picture]);
  const { width, height } = picture;
  const alt = `Image, ${width} by ${height} pixels`;
  return <img class="c-image" src={address} alt={alt} width={width} height={height} loading="lazy" decoding="async" />;
}

function Absent(props: { readonly what: string; readonly mediaType?: string | undefined; readonly at?: string | undefined }): JSX.Element {
  return (
    <p class="c-absent">
      {props.what}
      {props.mediaType !== undefined && <> ({visible(props.mediaType)})</>}
      {props.at !== undefined && (
        <>
          : <bdi class="c-address">{visible(props.at.slice(0, ADDRESS_CHARS))}</bdi>
        </>
      )}
    </p>
  );
}

const ADDRESS_CHARS = 2_000;
