namespace FewStep.Interchange;

/// <summary>A schedule as Python for Hugging Face diffusers.</summary>
internal static class DiffusersExport
{
    public const string Name = "diffusers";

    // Defaults of EDMEulerScheduler, over which its ramp runs.
    private const double RampMinimum = 0.002, RampMaximum = 80, Rho = 7;

    public static ScheduleExport Write(SamplingSchedule schedule, ScheduleExportOptions options)
    {
        var wanted = options.Scheduler is string name ? [DiffusersScheduler.Find(name)]
            : DiffusersScheduler.All.Where(s => s.Form != DiffusersForm.Nothing);
        var (parts, notes, warnings) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var group in wanted.GroupBy(s => s.Form))
        {
            if (Part(group.Key, schedule, options, options.Scheduler is not null, notes, warnings) is string part)
                parts.Add($"# {string.Join(", ", group.Select(s => s.Name))}: {part}");
        }

        return new ScheduleExport(Name, string.Join("\n\n", parts), notes, [.. warnings.Distinct()]);
    }

    private static string? Part(
        DiffusersForm form, SamplingSchedule schedule, ScheduleExportOptions options, bool asked, List<string> notes, List<string> warnings)
    {
        switch (form)
        {
            case DiffusersForm.Sigmas:
                var sigmas = options.Sigmas(schedule);
                warnings.AddRange(ScheduleWarnings.OfPrinted(sigmas, options.Digits));
                return "takes the last sigma too, appends nothing\nimages = pipe(prompt, "
                    + $"sigmas=[{SigmaText.List(sigmas, options.Digits)}]).images";
            case DiffusersForm.Timesteps when options.Noise is null:
                notes.Add("Left out are the classes that take timesteps: name the noise (vp-linear, vp-scaled-linear as in Stable "
                    + "Diffusion, vp-cosine) for them.");
                return asked ? throw new InvalidInputException($"{options.Scheduler} takes timesteps, which need the noise that the model "
                    + "was trained on: name it, vp-linear, vp-scaled-linear or vp-cosine.") : null;
            case DiffusersForm.Timesteps:
                var visited = options.Visited(schedule);
                int[] times = [.. visited.Select(options.Noise!.NearestTime)];
                warnings.AddRange(ScheduleWarnings.OfTimes(visited, times, options.Noise!));
                notes.Add("Timesteps are the nearest of the model's; use_karras_sigmas and its like must be off, and the last step goes to "
                    + "zero (final_sigmas_type=\"zero\").");
                return "nearest timesteps; they append the last sigma, zero, themselves\nimages = pipe(prompt, "
                    + $"timesteps=[{string.Join(", ", times.Select(t => FormattableString.Invariant($"{t}")))}]).images";
            case DiffusersForm.FlowTimes:
                notes.Add(string.Create(CultureInfo.InvariantCulture, $"FlowMatchEulerDiscreteScheduler shifts what it is given: the list "
                    + $"is for shift={options.Shift:R} and use_dynamic_shifting=False."));
                return "flow times t = sigma / (1 + sigma) before its shift; it appends the last zero itself\nimages = pipe(prompt, "
                    + $"sigmas=[{SigmaText.List(
                        options.Visited(schedule).Select(s => Unshifted(s / (1 + s), options.Shift)), options.Digits)}]).images";
            default:
                if (schedule.Sigmas[0] > RampMaximum || options.Visited(schedule)[^1] < RampMinimum)
                {
                    return asked ? throw new InvalidInputException(FormattableString.Invariant(
                        $"EDMEulerScheduler's sigmas are {RampMinimum} to {RampMaximum}; the schedule leaves them.")) : null;
                }

                notes.Add("EDMEulerScheduler computes sigmas from what it is given as sigmas: the list holds places on Karras' ramp for "
                    + "sigma_min 0.002, sigma_max 80, rho 7 and sigma_schedule \"karras\", its defaults.");
                return "places on its ramp, in which sigmas are "
                    + "computed anew; it appends the last zero itself\nscheduler.set_timesteps(sigmas=torch.tensor(["
                    + $"{SigmaText.List(options.Visited(schedule).Select(Place), Math.Max(options.Digits, 12))}], dtype=torch.float64))";
        }
    }

    // The t' that the shift takes to t = shift t' / (1 + (shift - 1) t').
    private static double Unshifted(double t, double shift) => t / (shift - ((shift - 1) * t));

    private static double Place(double sigma)
    {
        double high = Math.Pow(RampMaximum, 1 / Rho), low = Math.Pow(RampMinimum, 1 / Rho);
        return (Math.Pow(sigma, 1 / Rho) - high) / (low - high);
    }
}
