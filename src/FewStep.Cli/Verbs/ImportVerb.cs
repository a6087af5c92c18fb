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
        var times = command.Optional<bool>("--timesteps", "The numbers are timesteps of --noise, not sigmas.");
        var steps = command.Optional<int?>("--steps", "Number of steps that was meant, for a check.");
        var solver = command.Option("--solver", "Solver of the sampler.", new FindOptions().Solver, "name");
        var flowTimes = command.Optional<bool?>("--flow-times", "The numbers are times t of a rectified flow, sigma = t / (1 - t); false: "
            + "they are sigmas. Left out, as --model, --noise or the text says.");
        var shift = command.Optional<double?>(
            "--shift", "Of flow times: the shift that the scheduler applies to them; left out, what the text says, or 1.", "number");
        var (noise, levels, json) = (new NoiseArgument(command), new LevelsArgument(command), command.Json());
        return command.Runs((parsed, _) =>
        {
            var known = noise.Read(parsed);
            string given = parsed.GetRequiredValue(from);
            using var model = levels.Open(parsed);
            var warnings = new List<string>();
            ListedNumbers? kind = null;
            var schedule = Read(given, parsed.GetValue(times) || parsed.IsGiven(flowTimes), Schedule);
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
                bool isFlow = noise.IsFlow(parsed, model);
                kind = Kind(listed, parsed.GetValue(times), parsed.GetValue(flowTimes), isFlow, known is not null || model is not null);
                if (kind != ListedNumbers.FlowTimes)
                    OptionValues.RefuseIdle(parsed, [shift], "flow times");
                if (kind == ListedNumbers.Sigmas && listed.MayBeTimesteps)
                    warnings.Add("All numbers are whole; if they are timesteps, add --timesteps and --noise.");
                double? largest = levels.Read(parsed, model)?.High ?? noise.Levels(parsed)?.High;
                if (kind == ListedNumbers.FlowTimes && listed.Numbers[0] == 1 && largest is double sigma)
                {
                    warnings.Add(string.Create(
                        CultureInfo.InvariantCulture, $"The flow time 1 is an infinite sigma; the largest, {sigma:G6}, is taken for it."));
                }

                return kind switch
                {
                    ListedNumbers.Timesteps => listed.Timesteps(known ?? throw new InvalidInputException(
                        $"{(parsed.GetValue(times) ? "--timesteps needs" : "The list holds timesteps, which need")} the noise that the "
                            + "model was trained on: add --noise vp-linear, vp-scaled-linear or vp-cosine.")),
                    ListedNumbers.FlowTimes => listed.FlowTimes(largest, parsed.GetValue(shift)),
                    ListedNumbers.RampPlaces => listed.RampPlaces(),
                    _ => listed.Sigmas(),
                };
            }
        });
    }

    // What the options say wins over the text, and the text over what the numbers may be.
    private static ListedNumbers Kind(ListedSchedule listed, bool timesteps, bool? flowTimes, bool isFlow, bool isKnown)
    {
        if (timesteps && flowTimes == true)
            throw new InvalidInputException("--timesteps and --flow-times exclude each other; say what the numbers are.");
        if (timesteps)
            return ListedNumbers.Timesteps;
        if (flowTimes is bool said)
            return said ? ListedNumbers.FlowTimes : ListedNumbers.Sigmas;
        if (listed.Kind is { } kind)
            return kind;
        if (!listed.MayBeFlowTimes || (isKnown && !isFlow))
            return ListedNumbers.Sigmas;
        return isFlow ? ListedNumbers.FlowTimes : throw new InvalidInputException(
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
