using FewStep.Experiments;
using FewStep.Fitting;
using FewStep.Interchange;

namespace FewStep.Studio;

/// <summary>What the page asks for, done by the library: no more than a request at a time samples.</summary>
internal sealed class Workshop : IAsyncDisposable
{
    private const string Teacher = "teacher";
    private readonly StudioOptions _options;
    private readonly OpenModels _models;
    private readonly SamplingDesk _desk = new();
    private readonly RunsFolder _runs;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SampledImages> _shown = []; // of the two sides and the teacher

    public Workshop(StudioOptions options)
    {
        (_options, _models, _runs) = (options, new OpenModels(options.Model, options.Opening), new RunsFolder(options.Runs));
        Jobs = new Jobs(options.Out);
    }

    public Jobs Jobs { get; }

    public StudioAnswer About() => new(
        typeof(Workshop).Assembly.GetName().Version!.ToString(3), _options.Model, _options.Data, _options.Out, _options.Runs,
        [.. StandardSchedules.All.Select(s => new Choice(s.Name, s.Description))],
        [.. SolverCatalog.All.Select(s => new Choice(s.Name, s.Description))],
        [.. ScheduleOptimizerCatalog.All.Select(s => new Choice(s.Name, s.Description))],
        [.. ScheduleExporters.Names.Select(n => new Choice(n, ScheduleExporters.Describe(n)))]);

    public ModelAnswer Describe(SamplerRequest request)
    {
        using var lease = _models.Take(request.Model, request.Guidance);
        var model = lease.Model;
        var (config, range) = (model.Config, model.ScheduleRange);
        return new ModelAnswer(
            model.Path!, model.Name, model.Format, model.Hash, model.Summary.Parameters, model.NumberFormat, model.Shape.Channels,
            model.Shape.Height, model.Shape.Width, model.Classes, [.. (model.LabelNames ?? []).Take(model.Classes)],
            model.Network is not null,
            model.Classes > 0 && (model.Network is null || model.Prompts is not null || config!.Network.LabelDropout > 0),
            model.Denoiser.SigmaMin, model.Denoiser.SigmaMax, range.SigmaMin, range.SigmaMax, model.Sampler?.ToString(), model.Remarks,
            Curve(model) is { } curve ? LossCurveSummary.Of(curve) : null);
    }

    /// <summary>The sampler that a request means, without sampling.</summary>
    public SamplerAnswer Sampler(SampleRequest request)
    {
        using var lease = _models.Take(request.Sampler.Model, request.Sampler.Guidance);
        return SamplerAnswer.Of(request.Sampler.Make(lease.Model), request.Side);
    }

    public Task<SampleAnswer> Sample(SampleRequest request, CancellationToken left) => _desk.Do(
        $"{request.Side}",
        cancellation =>
        {
            using var lease = _models.Take(request.Sampler.Model, request.Sampler.Guidance);
            var (model, seeds) = (lease.Model, SampledImages.Parse(request.Seeds));
            var sampler = request.Sampler.Make(model);
            var made = SampledImages.Make(model, sampler, seeds, request.Label, keepSteps: true, cancellation);
            var answer = new SampleAnswer(
                SamplerAnswer.Of(sampler, request.Side), [.. seeds], model.Shape.Width, model.Shape.Height,
                SampledImages.Columns(seeds.Count), made.Png, [.. made.Steps], made.Evaluations, made.Seconds, Figures.Of(null, null));
            return answer with { Figures = Show($"{request.Side}", made) }; // from here on it may be replaced
        },
        givesWay: false,
        left);

    /// <summary>The fine teacher's images, which the figures compare with: solver and steps are those of a fit's teacher.</summary>
    public Task<TeacherAnswer> TeachersImages(SampleRequest request, CancellationToken left) => _desk.Do(
        Teacher,
        cancellation =>
        {
            using var lease = _models.Take(request.Sampler.Model, request.Sampler.Guidance);
            var (model, seeds, fit) = (lease.Model, SampledImages.Parse(request.Seeds), new FitOptions());
            var teacher = model.CreateSampler(StandardSchedules.Usual.Name, fit.TeacherSolver, fit.TeacherSteps);
            var made = SampledImages.Make(model, teacher, seeds, request.Label, keepSteps: false, cancellation);
            return new TeacherAnswer($"{teacher}", made.Evaluations, made.Seconds, Show(Teacher, made));
        },
        givesWay: true,
        left);

    public void Hide(Side side)
    {
        lock (_lock)
        {
            if (_shown.Remove($"{side}", out var old))
                old.Dispose();
        }
    }

    public JobAnswer Start(JobRequest request)
    {
        var lease = _models.Take(request.Sampler.Model, request.Sampler.Guidance);
        try
        {
            var model = lease.Model;
            request.Check(model);
            return Jobs.Start(
                $"{request.Kind}".ToLowerInvariant(),
                request.Title(model),
                (folder, progress, cancellation) => request.Run(
                    model, _options, Curve(model), curve => LossCurveFile.Write(CurveFile(model), curve), folder, progress,
                    cancellation),
                lease.Dispose);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    public IReadOnlyList<CopiedText> Copy(CopyRequest request)
    {
        using var lease = _models.Take(request.Sampler.Model, request.Sampler.Guidance);
        return CopyOut.Of(request.Sampler, lease.Model, CopyOut.FileIn(_options.Out, request.Name));
    }

    /// <summary>Saves a sampler; a file that is there already stays, unless it holds the same.</summary>
    /// <returns>The file.</returns>
    public Saved Save(CopyRequest request)
    {
        using var lease = _models.Take(request.Sampler.Model, request.Sampler.Guidance);
        string file = CopyOut.FileIn(_options.Out, request.Name);
        string text = SamplerFile.Text(request.Sampler.Make(lease.Model));
        if (File.Exists(file) && InputFile.ReadText(file, 8 << 20) != text)
            throw new InvalidInputException($"{file} is there already and holds another sampler; choose another name.");
        AtomicFile.WriteText(file, text);
        return new Saved(file);
    }

    public IReadOnlyList<RunAnswer> Runs() => _runs.List();
    public string Report(IReadOnlyList<string> runs) => _runs.Report(runs);

    public async ValueTask DisposeAsync()
    {
        await Jobs.DisposeAsync();
        foreach (var shown in _shown.Values)
            shown.Dispose();
        _desk.Dispose();
        _models.Dispose();
    }

    // What was shown there before is gone; the figures are of what is shown now.
    private Figures Show(string place, SampledImages made)
    {
        lock (_lock)
        {
            if (_shown.Remove(place, out var old))
                old.Dispose();
            _shown[place] = made;
            return Studio.Figures.Of(Distances($"{Side.A}"), Distances($"{Side.B}"));
        }
    }

    // Of other seeds, or of another model's teacher than A's, there is nothing to say.
    private double[]? Distances(string side)
    {
        if (!_shown.TryGetValue(Teacher, out var teacher) || !_shown.TryGetValue(side, out var shown) || !shown.IsPairedWith(teacher)
            || (_shown.TryGetValue($"{Side.A}", out var a) && a.Model != teacher.Model))
        {
            return null;
        }

        using var scope = NewDisposeScope();
        using var inference = no_grad();
        double[] squares = PairedDistance.MeanSquares(shown.Images - teacher.Images);
        return squares.All(double.IsFinite) ? [.. squares.Select(Math.Sqrt)] : null;
    }

    // The model's own, or the one that was measured here.
    private LossCurve? Curve(Model model)
    {
        string[] places = [CurveFile(model), Path.Combine(model.Path!, LossCurveFile.Name)];
        foreach (string file in places.Where(File.Exists))
        {
            try
            {
                return LossCurveFile.ReadFor(file, model.Hash);
            }
            catch (InvalidInputException)
            {
                // That of a run lies beside the model that was tuned in it, and is of the one before.
            }
        }

        return null;
    }

    private string CurveFile(Model model) => Path.Combine(_options.Out, "curves", model.Hash[..16], LossCurveFile.Name);
}

/// <summary>Where something was saved.</summary>
internal sealed record Saved(string File);
