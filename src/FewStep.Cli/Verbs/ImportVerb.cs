using FewStep.Interchange;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep import</c>: a schedule file from a list of sigmas or timesteps.</summary>
internal static class ImportVerb
{
    private const long LargestFile = 1 << 20;

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("import", "Make a sampler file from a list of sigmas or timesteps of another program.");
        var from = command.Required<string>(
            "--from", "The list, or a file that holds it: numbers with commas, spaces or lines between them, "
                + "a JSON or Python list, or what export writes. A last zero is a last denoise.", "list or file");
        var output = command.Required<string>(
            "--output", $"The sampler file to write; its name should end in {SamplerFile.Extension}.", "file");
        var times = command.Optional<bool?>("--timesteps", "The numbers are timesteps of --model or --noise; false: they are none. Left "
            + "out, as the text says, or as numbers beyond the model's sigmas must be.");
        var steps = command.Optional<int?>("--steps", "Number of steps that was meant, for a check.");
        var solver = command.Option("--solver", "Solver of the sampler.", new FindOptions().Solver, "name");
        var flowTimes = command.Optional<bool?>("--flow-times", "The numbers are times t of a rectified flow, sigma = t / (1 - t); false: "
            + "they are sigmas. Left out, as --model, --noise or the text says.");
        var shift = command.Optional<double?>(
            "--shift", "Of flow times: the shift that the scheduler applies to them; left out, what the text says, or 1.", "number");
        var (noise, levels, json) = (new NoiseArgument(command), new LevelsArgument(command), command.Json());
        return command.Runs((parsed, _) =>
        {
            string given = parsed.GetRequiredValue(from);
            using var model = levels.Open(parsed);
            var family = noise.Family(parsed, model);
            var known = (family as NoiseFamily.Timesteps)?.Noise;
            var warnings = new List<string>();
            ListedNumbers? kind = null;
            var schedule = Read(given, parsed.IsGiven(times) || parsed.IsGiven(flowTimes), Schedule);
            if (parsed.GetValue(steps) is int wanted)
            {
                warnings.AddRange(wanted >= 1 ? ScheduleWarnings.OfCount(schedule, wanted)
                    : throw new InvalidInputException($"--steps {wanted} must be 1 or more."));
            }

            if (levels.Read(parsed, model) is var (low, high))
                warnings.AddRange(ScheduleWarnings.OfRange(schedule, low, high));
            if (schedule.Terminal == ScheduleTerminal.SigmaMin)
            {
                warnings.Add(string.Create(CultureInfo.InvariantCulture,
                    $"The list does not end in zero, so samples keep noise of sigma {schedule.Sigmas[^1]:G5}."));
            }

            if (known is not null && kind != ListedNumbers.Timesteps)
            {
                var visited = schedule.Terminal == ScheduleTerminal.Zero ? schedule.Sigmas : [.. schedule.Sigmas.SkipLast(1)];
                warnings.AddRange(ScheduleWarnings.OfTimes(visited, [.. visited.Select(known.NearestTime)], known));
            }

            string path = parsed.GetRequiredValue(output);
            var origin = new SamplerOrigin { Schedule = SamplerFile.NameOf(path), Objective = "imported" };
            new Sampler(schedule, Solvers.SolverCatalog.Find(parsed.GetRequiredValue(solver))) { Origin = origin }.Save(path);
            terminal.Result(parsed.GetValue(json),
                new { file = path, steps = schedule.Steps, sigmas = schedule.Sigmas, terminal = schedule.Terminal, warnings },
                $"{schedule.Steps} "
                    + $"steps{(schedule.Terminal == ScheduleTerminal.Zero ? " and a last denoise" : "")}, sigma {schedule} in {path}.");
            foreach (string warning in warnings)
                terminal.Message($"Warning: {warning}");

            SamplingSchedule Schedule(ListedSchedule listed)
            {
                kind = Kind(listed, parsed.GetValue(times), parsed.GetValue(flowTimes), family);
                if (kind != ListedNumbers.FlowTimes)
                    OptionValues.RefuseIdle(parsed, [shift], "flow times");
                double? largest = levels.Read(parsed, model)?.High ?? noise.Levels(parsed)?.High;
                if (kind == ListedNumbers.FlowTimes && listed.Numbers[0] == 1 && largest is double sigma)
                {
                    warnings.Add(string.Create(
                        CultureInfo.InvariantCulture, $"The flow time 1 is an infinite sigma; the largest, {sigma:G6}, is taken for it."));
                }

                if (kind == ListedNumbers.FlowTimes && listed.Kind is null && !parsed.IsGiven(shift)
                    && family is NoiseFamily.FlowTimes { Shift.Factor: not 1 and double own })
                {
                    warnings.Add(string.Create(CultureInfo.InvariantCulture, $"The numbers are taken for the times at which the model is "
                        + $"evaluated; if a scheduler is to shift them first, add --shift {own:R}."));
                }

                return kind switch
                {
                    ListedNumbers.Timesteps => listed.Timesteps(known ?? throw new InvalidInputException(
                        family is not null ? $"The list holds timesteps, but the model is {family.Words}."
                        : $"{(parsed.GetValue(times) == true ? "--timesteps needs" : "The list holds timesteps, which need")} the noise "
                            + "that the model was trained on: add --model, or --noise vp-linear, vp-scaled-linear or vp-cosine.")),
                    ListedNumbers.FlowTimes => listed.FlowTimes(largest, parsed.GetValue(shift)),
                    ListedNumbers.RampPlaces => listed.RampPlaces(),
                    _ => listed.Sigmas(),
                };
            }
        });
    }

    // What the options say wins over the text, and the text over what the numbers may be.
    private static ListedNumbers Kind(ListedSchedule listed, bool? timesteps, bool? flowTimes, NoiseFamily? family)
    {
        if (timesteps == true && flowTimes == true)
            throw new InvalidInputException("--timesteps and --flow-times exclude each other; say what the numbers are.");
        if (timesteps == true)
            return ListedNumbers.Timesteps;
        if (flowTimes == true)
            return ListedNumbers.FlowTimes;
        if (listed.Kind is { } kind && timesteps is null && flowTimes is null)
            return kind;
        if (timesteps is null && listed.MayBeTimesteps(family))
        {
            return listed.MustBeTimesteps(family) ? ListedNumbers.Timesteps : throw new InvalidInputException(
                "All numbers are whole: they may be timesteps or sigmas. Say --timesteps, with the model as --model or its noise as "
                    + "--noise, or --timesteps false.");
        }

        if (flowTimes is not null || !listed.MayBeFlowTimes || family is NoiseFamily.Timesteps or NoiseFamily.Levels)
            return ListedNumbers.Sigmas;
        return family is NoiseFamily.FlowTimes ? ListedNumbers.FlowTimes : throw new InvalidInputException(
            "All numbers lie in 0 to 1: they may be times t of a rectified flow, sigma = t / (1 - t), or sigmas. Say --flow-times or "
                + "--flow-times false, or name the model with --model or its noise with --noise.");
    }

    private static SamplingSchedule Read(string given, bool isList, Func<ListedSchedule, SamplingSchedule> schedule)
    {
        bool isFile = File.Exists(given);
        string text = isFile ? InputFile.ReadText(given, LargestFile) : given;
        try
        {
            // An object of JSON is a sampler or schedule file, or one list under a name.
            return text.TrimStart().StartsWith('{') && isFile && !isList ? SamplerFile.Read(given).Schedule
                : schedule(ScheduleImport.Parse(text));
        }
        catch (InvalidInputException e) when (isFile && !e.Message.StartsWith(given, StringComparison.Ordinal))
        {
            throw new InvalidInputException($"{given}: {e.Message}", e);
        }
    }
}
