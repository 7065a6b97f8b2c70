// Queueing disciplines over rtnetlink: the token bucket that limits what a link sends (tc-tbf(8), linux/pkt_sched.h).
import { NLA_F_NESTED, NLM_F_CREATE, NLM_F_REPLACE, attribute, encodeAttributes } from './message.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_NEWQDISC = 36;
const TCMSG_BYTES = 20;
const TC_H_ROOT = 0xffff_ffff;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_TBF_PARMS = 1;
const TCA_TBF_RATE64 = 4;
const TCA_TBF_BURST = 6;
const TC_LINKLAYER_ETHERNET = 1;
/** Longer queues only make the sender feel the limit later. */
const QUEUE_MS = 50;

export interface TokenBucket {
  readonly bytesPerSecond: number;
  /** What may be sent at once; no less than the link's largest packet (64 KiB with segmentation offload). */
  readonly burstBytes: number;
}

/** Limits what the link sends; takes the place of the discipline it has. ENOENT: the kernel has no tbf. */
export function setTokenBucket(route: NetlinkSocket, linkIndex: number, bucket: TokenBucket): void {
  // struct tc_tbf_qopt: struct tc_ratespec rate (12 bytes), peakrate (12), limit, buffer, mtu. With the link layer
  // named, the kernel computes its own table; with TCA_TBF_BURST, its own ticks.
  const options = new Uint8Array(36);
  const data = new DataView(options.buffer);
  options[1] = TC_LINKLAYER_ETHERNET;
  data.setUint32(8, Math.min(bucket.bytesPerSecond, 0xffff_ffff), true);
  data.setUint32(24, bucket.burstBytes + Math.ceil((bucket.bytesPerSecond * QUEUE_MS) / 1000), true);
  const attributes = [attribute.bytes(TCA_TBF_PARMS, options), attribute.u32(TCA_TBF_BURST, bucket.burstBytes)];
  if (bucket.bytesPerSecond > 0xffff_ffff)
    attributes.push(attribute.u64(TCA_TBF_RATE64, BigInt(Math.ceil(bucket.bytesPerSecond))));
  addQueueing(route, linkIndex, 'tbf', encodeAttributes(attributes));
}

/** Puts a queueing discipline at a link's root; `options` is what TCA_OPTIONS holds for this kind. */
export function addQueueing(route: NetlinkSocket, linkIndex: number, kind: string, options: Uint8Array): void {
  // struct tcmsg: family, padding, ifindex, handle, parent, info.
  const header = new Uint8Array(TCMSG_BYTES);
  const message = new DataView(header.buffer);
  message.setInt32(4, linkIndex, true);
  message.setUint32(12, TC_H_ROOT, true);
  route.request(
    {
      type: RTM_NEWQDISC,
      flags: NLM_F_CREATE | NLM_F_REPLACE,
      payload: encodeAttributes(
        [attribute.string(TCA_KIND, kind), attribute.bytes(TCA_OPTIONS | NLA_F_NESTED, options)],
        header,
      ),
    },
    {
      action: `set queueing ${kind} of link`,
      target: String(linkIndex),
      hints: { ENOENT: 'the kernel has no such queueing' },
    },
  );
}
