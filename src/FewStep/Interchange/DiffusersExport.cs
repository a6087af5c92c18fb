using FewStep.Checkpoints;

namespace FewStep.Interchange;

/// <summary>A schedule as Python for Hugging Face diffusers.</summary>
internal static class DiffusersExport
{
    public const string Name = "diffusers";

    // Defaults of EDMEulerScheduler, over which its ramp runs.
    private const double RampMinimum = 0.002, RampMaximum = 80, Rho = 7;

    /// <summary>Words in what is written, by which it is known again.</summary>
    public const string TimestepsWord = "nearest timesteps", FlowTimesWord = "flow times", ShiftWord = "before its shift",
        RampWord = "places on its ramp";

    private static double RampHigh { get; } = Math.Pow(RampMaximum, 1 / Rho);
    private static double RampLow { get; } = Math.Pow(RampMinimum, 1 / Rho);

    public static ScheduleExport Write(SamplingSchedule schedule, ScheduleExportOptions options)
    {
        var suited = DiffusersScheduler.All.Where(s => Suits(s.Form, options.Family));
        var wanted = options.Scheduler is string name ? [DiffusersScheduler.Find(name)] : suited;
        if (wanted.FirstOrDefault(s => !Suits(s.Form, options.Family)) is { } other)
        {
            throw new InvalidInputException($"{other.Name} does not sample {options.Family!.Words}, which the model is; choose "
                + $"{string.Join(", ", suited.Select(s => s.Name))}.");
        }

        var (parts, notes, warnings) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var group in wanted.GroupBy(s => s.Form))
        {
            if (Part(group.Key, schedule, options, options.Scheduler is not null, notes, warnings) is string part)
            {
                parts.Add($"# {string.Join(", ", group.Select(s => s.Name))}: {part}");
                notes.AddRange(group.Where(s => s.Since is not null).Select(s => $"{s.Name} takes this from diffusers {s.Since} on."));
            }
        }

        return new ScheduleExport(Name, string.Join("\n\n", parts), notes, [.. warnings.Distinct()]);
    }

    // In which forms a model of the family is sampled.
    private static bool Suits(DiffusersForm form, NoiseFamily? family) => family switch
    {
        null => form != DiffusersForm.Nothing,
        NoiseFamily.Timesteps => form is DiffusersForm.Sigmas or DiffusersForm.Timesteps,
        NoiseFamily.FlowTimes => form == DiffusersForm.FlowTimes,
        _ => form is DiffusersForm.Sigmas or DiffusersForm.Ramp,
    };

    private static string? Part(
        DiffusersForm form, SamplingSchedule schedule, ScheduleExportOptions options, bool asked, List<string> notes, List<string> warnings)
    {
        switch (form)
        {
            case DiffusersForm.Sigmas:
                var sigmas = options.Sigmas(schedule);
                warnings.AddRange(ScheduleWarnings.OfPrinted(sigmas, options.Digits));
                if (options.Family is NoiseFamily.Levels)
                {
                    notes.Add("EulerDiscreteScheduler scales a network's input as for sigma_data 1 (Stable Video Diffusion); other EDM "
                        + "models go with EDMEulerScheduler.");
                }

                return "takes the last sigma too, appends nothing\nimages = pipe(prompt, "
                    + $"sigmas=[{SigmaText.List(sigmas, options.Digits)}]).images";
            case DiffusersForm.Timesteps when options.Family is not NoiseFamily.Timesteps:
                notes.Add("Left out are the classes that take timesteps: name the noise (vp-linear, vp-scaled-linear as in Stable "
                    + "Diffusion, vp-cosine) for them.");
                return asked ? throw new InvalidInputException($"{options.Scheduler} takes timesteps, which need the noise that the model "
                    + "was trained on: name it, vp-linear, vp-scaled-linear or vp-cosine.") : null;
            case DiffusersForm.Timesteps:
                var (visited, noise) = (options.Visited(schedule), ((NoiseFamily.Timesteps)options.Family).Noise);
                int[] times = noise.DistinctTimes(visited);
                warnings.AddRange(ScheduleWarnings.OfMoved(visited, times, noise));
                warnings.AddRange(ScheduleWarnings.OfTimes(visited, times, noise));
                notes.Add("Timesteps are the nearest of the model's; use_karras_sigmas and its like must be off, and the last step goes to "
                    + "zero (final_sigmas_type=\"zero\").");
                return $"{TimestepsWord}; they append the last sigma, zero, themselves\nimages = pipe(prompt, "
                    + $"timesteps=[{string.Join(", ", times.Select(t => FormattableString.Invariant($"{t}")))}]).images";
            case DiffusersForm.FlowTimes:
                var (factor, isDynamic) = options.Shift;
                notes.Add(string.Create(CultureInfo.InvariantCulture, $"FlowMatchEulerDiscreteScheduler shifts what it is given: the list "
                    + $"is for {(isDynamic ? "use_dynamic_shifting=True and images of the model's size, where its shift is "
                        : "use_dynamic_shifting=False and shift=")}{factor:R}; shift_terminal must be None."));
                double[] flow =
                    [.. options.Visited(schedule).Select(s => FlowTime.Unshifted(FlowMatchScheduler.Time(s), factor))];
                warnings.AddRange(ScheduleWarnings.OfPrinted(flow, options.Digits));
                string shift = factor == 1 ? "" : FormattableString.Invariant($" of {factor:R}");
                return $"{FlowTimesWord} t = sigma / (1 + sigma) {ShiftWord}{shift}; it appends the last zero itself\n"
                    + $"images = pipe(prompt, sigmas=[{SigmaText.List(flow, options.Digits)}]).images";
            default:
                if (schedule.Sigmas[0] > RampMaximum || options.Visited(schedule)[^1] < RampMinimum)
                {
                    return asked ? throw new InvalidInputException(FormattableString.Invariant(
                        $"EDMEulerScheduler's sigmas are {RampMinimum} to {RampMaximum}; the schedule leaves them.")) : null;
                }

                notes.Add("EDMEulerScheduler computes sigmas from what it is given as sigmas: the list holds places on Karras' ramp for "
                    + "sigma_min 0.002, sigma_max 80, rho 7 and sigma_schedule \"karras\", its defaults.");
                return $"{RampWord}, in which sigmas are "
                    + "computed anew; it appends the last zero itself\nscheduler.set_timesteps(sigmas=torch.tensor(["
                    + $"{SigmaText.List(options.Visited(schedule).Select(Place), Math.Max(options.Digits, 12))}], dtype=torch.float64))";
        }
    }

    /// <summary>The sigma at a place on EDMEulerScheduler's ramp, 0 for the first to 1 for the last.</summary>
    public static double SigmaAt(double place) => Math.Pow(RampHigh + place * (RampLow - RampHigh), Rho);

    private static double Place(double sigma) => (Math.Pow(sigma, 1 / Rho) - RampHigh) / (RampLow - RampHigh);
}
