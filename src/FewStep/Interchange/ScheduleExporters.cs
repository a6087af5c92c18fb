using FewStep.Checkpoints;

namespace FewStep.Interchange;

/// <summary>The programs that a schedule can be written for.</summary>
internal static class ScheduleExporters
{
    private const string StaysNoisy =
        "Without a last zero it leaves that much noise; the final sigma zero goes on to none for as many evaluations.";

    private delegate ScheduleExport Exporter(SamplingSchedule schedule, ScheduleExportOptions options);

    private static readonly OrderedDictionary<string, (string Description, Exporter Export)> All = new(StringComparer.Ordinal)
    {
        ["sigmas"] = ("the sigmas, separated by commas", (s, o) => Plain(s, o, (list, _) => list, null, SigmasOfFlow(s, o))),
        ["json"] = ("the sigmas as a JSON list", (s, o) => Plain(s, o, (list, _) => $"[{list}]", null, SigmasOfFlow(s, o))),
        ["timesteps"] = ("whole timesteps of a model that was trained on them (needs the model or the noise)", Timesteps),
        [DiffusersExport.Name] = ("Python for Hugging Face diffusers, scheduler class by class", DiffusersExport.Write),
        ["comfyui"] = ("the text of ComfyUI's ManualSigmas node", ComfyUi),
        ["k-diffusion"] = ("a Python line with the tensor that k-diffusion's samplers take", KDiffusion),
        ["diff-sampler"] = ("the option --t_steps of zju-pi/diff-sampler", DiffSampler),
        ["stable-diffusion.cpp"] = ("the options --sigmas and --steps of stable-diffusion.cpp", StableDiffusionCpp),
        ["stable-diffusion.net"] = ("C# for StableDiffusion.NET", StableDiffusionNet),
        ["webui"] = ("the list of the scheduler 'custom' of webUI_ExtraSchedulers", WebUi),
    };

    public static IReadOnlyList<string> Names => [.. All.Keys];
    public static string Describe(string name) => All[name].Description;

    public static ScheduleExport Export(string name, SamplingSchedule schedule, ScheduleExportOptions? options = null)
    {
        options ??= new ScheduleExportOptions();
        options.Validate();
        return All.TryGetValue(name, out var exporter)
            ? exporter.Export(schedule, options) with { Target = name }
            : throw new InvalidInputException($"There is no export '{name}'; choose one of {string.Join(", ", Names)}.");
    }

    // The form is made of the list and the number of steps. The target is filled in where the name is known.
    private static ScheduleExport Plain(
        SamplingSchedule schedule, ScheduleExportOptions options, Func<string, int, string> form, string? withoutZero = null,
        params string[] notes)
    {
        var sigmas = options.Sigmas(schedule);
        return new ScheduleExport(
            "", form(SigmaText.List(sigmas, options.Digits), sigmas.Count - 1),
            withoutZero is null || sigmas[^1] == 0 ? notes : [.. notes, withoutZero], ScheduleWarnings.OfPrinted(sigmas, options.Digits));
    }

    // For programs whose sigmas of a rectified flow are its times.
    private static ScheduleExport PlainOrFlow(
        SamplingSchedule schedule, ScheduleExportOptions options, Func<string, int, string> form, string? withoutZero = null,
        params string[] notes)
    {
        if (options.Family is null)
        {
            notes = [.. notes, "Nothing is said of the model, so these are sigmas; of a rectified flow (SD3, Flux) such programs take flow "
                + "times: name the model, or its noise, rectified-flow."];
        }

        if (!options.IsFlow)
            return Plain(schedule, options, form, withoutZero, notes);
        const string Note = "The numbers are flow times t = sigma / (1 + sigma), which such programs take for a rectified flow's sigmas.";
        var times = new SamplingSchedule(schedule.Sigmas.Select(FlowMatchScheduler.Time), schedule.Terminal);
        return Plain(times, options, form, withoutZero, [Note, .. notes]);
    }

    private static ScheduleExport Timesteps(SamplingSchedule schedule, ScheduleExportOptions options)
    {
        var noise = options.Family switch
        {
            NoiseFamily.Timesteps whole => whole.Noise,
            null => throw new InvalidInputException(
                "Timesteps need the noise that the model was trained on: name it, vp-linear, vp-scaled-linear or vp-cosine."),
            NoiseFamily.FlowTimes => throw new InvalidInputException(
                "A rectified flow has no whole timesteps; write for a program that samples flows."),
            var other => throw new InvalidInputException($"There are no timesteps: it is {other.Words}. Write sigmas; or name the noise of "
                + "the program that takes timesteps, vp-linear, vp-scaled-linear or vp-cosine."),
        };
        var visited = options.Visited(schedule);
        int[] times = noise.DistinctTimes(visited);
        return new ScheduleExport(
            "",
            string.Join(", ", times.Select(t => FormattableString.Invariant($"{t}"))),
            ["They are the levels that the model is evaluated at; what follows the last one is up to the program, and nearly all go on to "
                + "zero."],
            [.. ScheduleWarnings.OfMoved(visited, times, noise), .. ScheduleWarnings.OfTimes(visited, times, noise)]);
    }

    private static ScheduleExport ComfyUi(SamplingSchedule schedule, ScheduleExportOptions options) => PlainOrFlow(
        schedule, options, (list, _) => list,
        "ComfyUI's samplers stop at the last sigma and leave that much noise; the final sigma zero goes on to none for as many "
            + "evaluations.",
        "Decimals are fixed because ManualSigmas reads 1e-3 as the two numbers 1 and -3.");

    private static ScheduleExport KDiffusion(SamplingSchedule schedule, ScheduleExportOptions options) => Plain(
        schedule, options, (list, _) => $"sigmas = torch.tensor([{list}])",
        "Samplers of higher order treat a last zero on its own; without one they step as usual.",
        ["The first state is noise times sigmas[0]; a sampler makes len(sigmas) - 1 steps.", .. SigmasOfFlow(schedule, options)]);

    // Programs that sample flows take times, which lists of sigmas must not be taken for.
    private static string[] SigmasOfFlow(SamplingSchedule schedule, ScheduleExportOptions options) => !options.IsFlow ? []
        :
        [
            "The numbers are sigma = t / (1 - t), not the flow times t that programs which sample flows take.",
            .. schedule.Sigmas[0] <= 1 ? ["All lie in 0 to 1, so import must be told that they are no flow times."]
                : Array.Empty<string>(),
        ];

    private static ScheduleExport DiffSampler(SamplingSchedule schedule, ScheduleExportOptions options)
    {
        if (options.IsFlow)
        {
            throw new InvalidInputException(
                "diff-sampler samples no rectified flows, and the model is one; write for a program that does.");
        }

        if (options.Final == FinalSigma.Zero && schedule.Terminal == ScheduleTerminal.SigmaMin)
        {
            throw new InvalidInputException(
                "diff-sampler takes no zero in --t_steps; keep the final sigma, or append zero, which adds --denoise_to_zero.");
        }

        // Its list ends above zero, for its last value is taken for sigma_min; the last denoise is an option of its own.
        bool denoise = schedule.Terminal == ScheduleTerminal.Zero || options.Final == FinalSigma.AppendZero;
        return Plain(new SamplingSchedule(schedule.Sigmas), options with { Final = FinalSigma.Keep },
            (list, _) => $"--t_steps=\"[{list}]\"{(denoise ? " --denoise_to_zero=True" : "")}", null, FormattableString.Invariant(
                $"It sets num_steps to the number of values, {schedule.Sigmas.Length}: one more than the {schedule.Steps} solver steps."));
    }

    private static ScheduleExport StableDiffusionCpp(SamplingSchedule schedule, ScheduleExportOptions options) => PlainOrFlow(
        schedule, options,
        (list, n) => FormattableString.Invariant($"--sigmas \"{list.Replace(" ", "", StringComparison.Ordinal)}\" --steps {n}"), StaysNoisy,
        "The number of steps is the number of sigmas less one, whatever --steps says.");

    private static ScheduleExport StableDiffusionNet(SamplingSchedule schedule, ScheduleExportOptions options) => PlainOrFlow(
        schedule, options, (list, n) => FormattableString.Invariant($"sampleParameter.SampleSteps = {n};\n")
            + $"sampleParameter.CustomSigmas = [{list.Replace(",", "f,", StringComparison.Ordinal)}f];", StaysNoisy,
        "It hands both to stable-diffusion.cpp, which makes as many steps as there are sigmas, less one.");

    private static ScheduleExport WebUi(SamplingSchedule schedule, ScheduleExportOptions options)
    {
        // A list that does not end in zero is resampled to the number of steps, and one from 1 to 0 is rescaled.
        var always = options with { Final = options.Final == FinalSigma.Keep ? FinalSigma.Zero : options.Final };
        double first = options.IsFlow ? FlowMatchScheduler.Time(schedule.Sigmas[0]) : schedule.Sigmas[0];
        if (SigmaText.Fixed(first, options.Digits) == "1.0")
        {
            throw new InvalidInputException("webUI_ExtraSchedulers takes a list from 1.0 to 0.0 for fractions of its own range; begin "
                + "the schedule at another sigma, or write more digits.");
        }

        string choose = FormattableString.Invariant(
            $"Choose the schedule type custom, paste the list, and set the sampling steps to {always.Sigmas(schedule).Count - 1}.");
        return schedule.Terminal == ScheduleTerminal.SigmaMin && options.Final == FinalSigma.Keep
            ? PlainOrFlow(schedule, always, (list, _) => $"[{list}]", null, choose,
                "The last sigma gave way to 0.0: only lists that end in it are used as they are.")
            : PlainOrFlow(schedule, always, (list, _) => $"[{list}]", null, choose);
    }
}

/// <summary>A schedule in the words of another program.</summary>
internal sealed record ScheduleExport(string Target, string Text, IReadOnlyList<string> Notes, IReadOnlyList<string> Warnings);
