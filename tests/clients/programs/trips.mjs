// The tools' parameters and the structured answer that the Node programs ask for.
import { z } from "zod";

export const City = z.object({ city: z.string() });
export const Booking = z.object({ city: z.string(), nights: z.number().int() });
export const Nothing = z.object({});
export const Trip = z.object({
  city: z.string().describe("Where to"),
  nights: z.number().int().min(1),
  guests: z.array(z.object({ name: z.string(), age: z.number().int().nullable() })),
});
