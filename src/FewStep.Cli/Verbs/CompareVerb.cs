namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep compare</c>: the best solver and schedule for a model at a number of evaluations, and how sure that is.</summary>
internal static class CompareVerb
{
    private const int TeacherSteps = 32;

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("compare", "Compare solvers and schedules on one model with the same latents everywhere, and say how "
            + "sure the ranking is. Interrupt with Ctrl-C and repeat the command to resume.");
        string usual = StandardSchedules.Usual.Name;
        var model = command.Model(", or an ONNX file");
        var solvers = command.Option(
            "--solvers", "Solvers, separated by commas, as sample --solver takes them.", "euler,heun,dpmpp:2,unipc:3,ipndm:3", "list");
        var schedules = PlannedFlags.Schedules(command, $"{usual},log-snr,phase1,gits,endpoint");
        var samplers = command.Samplers();
        var evaluations = command.Option(
            "--nfe", "Network evaluations an image to compare at; each solver gets the steps that take as many.", "4,6,8,10", "list");
        var steps = command.Optional<string?>(
            "--steps", "Numbers of solver steps to compare at, whatever they cost, in place of --nfe.", "list");
        var teacher = command.Option("--teacher", "The fine sampler: solver:schedule:steps, schedule/solver/steps, or a sampler file.",
            FormattableString.Invariant($"heun:{usual}:{TeacherSteps}"), "sampler");
        var transfer = command.Option("--transfer", "Measure schedules found for one solver with the others too.", true);
        var searchImages = PlannedFlags.SearchImages(command);
        var shown = command.Optional<int?>("--shown-nfe", "Which of --nfe (or --steps) the pictures are about; left out, 4, or the least.");
        var flags = new PlannedFlags(command, "compare", 1000, "the Fréchet distance on --features, and endpoint");
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(flags.Measured.Threads));
            var started = DateTimeOffset.UtcNow;
            bool bySteps = parsed.GetValue(steps) is not null;
            if (bySteps && parsed.IsGiven(evaluations))
                throw new InvalidInputException("--nfe and --steps exclude each other: give the evaluations or the steps to compare at.");
            var numbers = bySteps ? NumberList.Steps(parsed.GetValue(steps)!, "--steps")
                : NumberList.Steps(parsed.GetRequiredValue(evaluations), "--nfe");
            if (parsed.GetValue(shown) is int one && !numbers.Contains(one))
            {
                throw new InvalidInputException(
                    $"--shown-nfe {one} is none of the numbers that are measured ({string.Join(", ", numbers)}).");
            }

            string[] metrics = flags.Measured.Metrics(parsed, flags.Measured.Frechet(parsed), EndpointMetric.Entry.Name);
            var chosen = ScheduleChoice.ParseAll(parsed.GetRequiredValue(schedules));
            using var source = Model.Open(parsed.GetRequiredValue(model), flags.Model(parsed));
            bool compares = MetricCatalog.Compare(metrics);
            using var real = compares || chosen.Any(s => s is ScheduleChoice.Searched)
                ? ExperimentImages.Open(flags.Measured, parsed, compares, source, terminal, cancellation)
                : null;
            using var context = flags.Context(parsed, source, real, terminal.Progress, cancellation);
            var experiment = new PlannedExperiment
            {
                Plan = new TrialPlanOptions
                {
                    Models = [(null, source)],
                    Schedules = chosen,
                    Samplers = flags.Samplers(parsed, samplers),
                    Solvers = PlannedFlags.Solvers(parsed.GetRequiredValue(solvers)),
                    Axis = bySteps ? ComparisonAxis.Steps : ComparisonAxis.Evaluations,
                    Numbers = numbers,
                    Teacher = MetricCatalog.NeedTeacher(
                        metrics) ? Teacher(parsed.GetRequiredValue(teacher)).MakeFor(source, new HeunSolver()) : null,
                    Transfer = parsed.GetValue(transfer),
                },
                Options = flags.Options(parsed, $"{source.Name}: solvers and schedules compared", parsed.GetValue(shown), real),
                Metrics = metrics,
                Context = context,
                SearchImages = parsed.GetValue(searchImages),
            };
            flags.Run(terminal, parsed, started, experiment, real, cancellation);
        });
    }

    // Solvers and schedules may hold colons of their own, so every place of the colon between them is tried.
    private static SamplerChoice Teacher(string text)
    {
        string[] parts = text.Split(':');
        if (File.Exists(text) || text.Contains('/', StringComparison.Ordinal) || parts.Length == 1)
            return SamplerChoice.Parse(text);
        InvalidInputException? first = null;
        for (int cut = 1; cut < parts.Length; cut++)
        {
            try
            {
                string schedule = string.Join(':', parts[cut..]);
                var solver = SolverCatalog.Find(string.Join(':', parts[..cut]));
                if (ScheduleChoice.IsFile(schedule))
                    return SamplerChoice.Of(ScheduleChoice.Parse(schedule), solver, null);
                int colon = schedule.LastIndexOf(':');
                return colon < 0
                    ? throw new InvalidInputException("The number of steps is missing.")
                    : SamplerChoice.Of(
                        ScheduleChoice.Parse(schedule[..colon]), solver, NumberList.Steps(schedule[(colon + 1)..], "--teacher")[0]);
            }
            catch (InvalidInputException e)
            {
                first ??= e;
            }
        }

        throw new InvalidInputException(
            $"--teacher '{Printable.Line(text, 80)}': it must be solver:schedule:steps, e.g. heun:karras:32, solver:file.json, or a "
                + $"sampler. {first?.Message}", first!);
    }
}
