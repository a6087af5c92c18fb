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
        var (noise, levels, json) = (new NoiseArgument(command), new LevelsArgument(command), command.Json());
        return command.Runs((parsed, _) =>
        {
            var known = noise.Read(parsed);
            string given = parsed.GetRequiredValue(from);
            var schedule = Read(given, parsed.GetValue(times), known);
            var warnings = new List<string>();
            if (parsed.GetValue(steps) is int wanted)
            {
                warnings.AddRange(wanted >= 1 ? ScheduleWarnings.OfCount(schedule, wanted)
                    : throw new InvalidInputException($"--steps {wanted} must be 1 or more."));
            }

            using var model = levels.Open(parsed);
            if (levels.Read(parsed, model) is var (low, high))
                warnings.AddRange(ScheduleWarnings.OfRange(schedule, low, high));
            if (schedule.Terminal == ScheduleTerminal.SigmaMin)
            {
                warnings.Add(string.Create(CultureInfo.InvariantCulture,
                    $"The list does not end in zero, so samples keep noise of sigma {schedule.Sigmas[^1]:G5}."));
            }

            if (known is not null && !parsed.GetValue(times))
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
        });
    }

    private static SamplingSchedule Read(string given, bool times, DiscreteVpNoise? noise)
    {
        if (times && noise is null)
        {
            throw new InvalidInputException(
                "--timesteps needs the noise that the model was trained on: add --noise vp-linear, vp-scaled-linear or vp-cosine.");
        }

        bool isFile = File.Exists(given);
        string text = isFile ? InputFile.ReadText(given, LargestFile) : given;
        try
        {
            // An object of JSON is a sampler or schedule file, or one list under a name.
            return text.TrimStart().StartsWith('{') && isFile && !times
                ? SamplerFile.Read(given).Schedule
                : times ? ScheduleImport.Timesteps(text, noise!) : ScheduleImport.Sigmas(text);
        }
        catch (InvalidInputException e) when (isFile && !e.Message.StartsWith(given, StringComparison.Ordinal))
        {
            throw new InvalidInputException($"{given}: {e.Message}", e);
        }
    }
}
