namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep evaluate</c>: metrics of models, samplers and numbers of steps, with their spread, or of stored images.</summary>
internal static class EvaluateVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("evaluate", "Compare schedules, solvers and tuned models by metrics, or measure stored --images. "
            + "Interrupt with Ctrl-C and repeat the command to resume.");
        var model = command.Option<string[]>("--model", "Model folder, checkpoint or ONNX file. Repeat it for tuned models, with a name "
            + "for the table: --model trajectory=folder.", [EmbeddedDefault.Model], "folder");
        var schedules = PlannedFlags.Schedules(command,
            string.Join(',', [.. StandardSchedules.Baselines, .. DiscretizationLossOptimizer.UsualNames]),
            ", which have their own number of steps");
        var samplers = command.Samplers();
        var steps = command.Option("--steps", "Numbers of solver steps.", "3,4,5,6,8,10", "list");
        var solver = command.Option(
            "--solver", $"Solvers, separated by commas: {string.Join(", ", SolverCatalog.Names)}.", "euler", "list");
        var tunedSchedules = command.Optional<string?>(
            "--tuned-schedules", "Of --schedules, those that tuned models are measured on; left out, all.", "list");
        var tunedSteps = command.Optional<string?>(
            "--tuned-steps", "Of --steps, those that tuned models are measured at; left out, all.", "list");
        var shown = command.Optional<int?>(
            "--shown-steps", "Number of steps that headline and images are about; left out, 4, or the fewest.");
        var teacher = command.Optional<string?>(
            "--teacher", "A fine schedule to show beside, a name or file, sampled with the first model.", "schedule");
        var teacherSteps = command.Optional<int?>("--teacher-steps", "Its number of steps; a file has its own.");
        var teacherSolver = command.Option("--teacher-solver", "Its solver.", "heun");
        var searchImages = PlannedFlags.SearchImages(command);
        var images = command.Optional<string?>("--images",
            "Measure these images (zip, folder, idx file or ADM's npz), compared with --reference, in place of a model's samples.", "path");
        var flags = new PlannedFlags(command, "evaluation", 5000,
            "the Fréchet distance on the classifier; with --images all of --features", FeatureKind.Inception);
        var measured = flags.Measured;
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(measured.Threads));
            var started = DateTimeOffset.UtcNow;
            if (parsed.GetValue(images) is string path)
            {
                MeasureStored(path);
                return;
            }

            using var models = ComparedModels.Open(parsed.GetRequiredValue(model), flags.Model(parsed));
            string[] metrics = measured.Metrics(parsed, measured.Frechet(parsed));
            using var real = ExperimentImages.Open(
                measured, parsed, MetricCatalog.Compare(metrics), models.First, terminal, cancellation);
            using var context = flags.Context(parsed, models.First, real, terminal.Progress, cancellation);
            bool samplersAlone = parsed.IsGiven(samplers) && !parsed.IsGiven(schedules);
            if (samplersAlone)
                OptionValues.RefuseIdle(parsed, [steps, solver], "--schedules, and each --sampler says its own");
            var chosen = samplersAlone ? [] : ScheduleChoice.ParseAll(parsed.GetRequiredValue(schedules));
            var experiment = new PlannedExperiment
            {
                Plan = new TrialPlanOptions
                {
                    Models = models.All,
                    Schedules = chosen,
                    Samplers = flags.Samplers(parsed, samplers),
                    Solvers = PlannedFlags.Solvers(parsed.GetRequiredValue(solver)),
                    Numbers = NumberList.Steps(parsed.GetRequiredValue(steps), "--steps"),
                    TunedSchedules = parsed.GetValue(tunedSchedules) is string list ? TunedNames(list, chosen) : null,
                    TunedNumbers = parsed.GetValue(tunedSteps) is string numbers ? NumberList.Steps(numbers, "--tuned-steps") : null,
                    Teacher = parsed.GetValue(teacher) is string fine
                        && SolverCatalog.Find(parsed.GetRequiredValue(teacherSolver)) is var fineSolver
                        ? SamplerChoice.Of(ScheduleChoice.Parse(fine), fineSolver, parsed.GetValue(teacherSteps))
                            .MakeFor(models.First, fineSolver)
                        : null,
                },
                Options = flags.Options(parsed, $"{models.First.Name}: few-step samples compared", parsed.GetValue(shown), real),
                Metrics = metrics,
                Context = context,
                SearchImages = parsed.GetValue(searchImages),
                HasResult = true,
            };
            flags.Run(terminal, parsed, started, experiment, real, cancellation);

            void MeasureStored(string stored)
            {
                if (parsed.IsGiven(model))
                    throw new InvalidInputException("--images measures stored images, so --model has no use; leave one of them out.");
                flags.RefuseIdleRange(parsed);
                flags.RefuseShards(parsed, "--images measures stored images");
                string[] wanted = measured.Metrics(parsed, MetricCatalog.OfStoredImages(measured.Network.Kind(parsed)));
                bool compares = MetricCatalog.Compare(wanted);
                if (compares && parsed.GetValue(measured.Reference) is null && !parsed.IsGiven(measured.Data))
                {
                    throw new InvalidInputException(
                        "Nothing to compare the images with: give --reference with images or a statistics file (.npz), or --data with a "
                            + "test split.");
                }

                bool reads = wanted.Contains(ClipScoreMetric.Entry.Name);
                var prompts = flags.Prompts(parsed) ?? (reads && ImageCaptions.AreIn(stored) ? Prompts.Read(stored) : null);
                if (prompts is not null && !reads)
                    throw new InvalidInputException($"Prompts are for --metrics {ClipScoreMetric.Entry.Name}; leave them out.");
                using var opened = ImageSets.Open(stored, null, terminal.Progress, cancellation);
                var set = !reads ? opened : CaptionedImageSet.Pair(opened, prompts?.Images) ?? throw new InvalidInputException(
                    $"Nothing says which prompts the images of {stored} are of. Give captions with the images' names by --prompts (COCO's "
                    + "JSON, or a folder of captioned images), or sample them anew: the folder of sample --out holds its captions.");
                using var beside = compares ? ExperimentImages.Open(measured, parsed, true, null, terminal, cancellation) : null;
                using var used = measured.Context(parsed, set.Shape, null, beside?.Reference, terminal.Progress, cancellation);
                used.Texts = prompts?.Texts;
                var place = flags.Options(parsed, FormattableString.Invariant($"{set.Count} images of {stored}"), null, beside);
                var result = StoredImages.Measure(set, stored, wanted, used, place, terminal.Progress, cancellation);
                var manifest = CommandLineManifest.Create(parsed, started, parsed.GetValue(measured.Seed), DeviceFlag.Resolve(parsed),
                    ComputeType.Name(parsed.ComputeTypeOf(measured.Dtype)));
                flags.Write(terminal, parsed, result with { Manifest = manifest });
            }
        });
    }

    private static string[] TunedNames(string list, IReadOnlyList<ScheduleChoice> chosen)
    {
        string[] names = [.. ScheduleChoice.ParseAll([list]).Select(s => s.Name)];
        return names.FirstOrDefault(n => chosen.All(s => s.Name != n)) is string unknown
            ? throw new InvalidInputException($"--tuned-schedules: '{unknown}' is none of --schedules.")
            : names;
    }
}
