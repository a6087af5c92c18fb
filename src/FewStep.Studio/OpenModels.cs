using FewStep.Checkpoints;

namespace FewStep.Studio;

/// <summary>The models that are open: the last few that were asked for. One is closed when another needs its place and nobody uses
/// it.</summary>
internal sealed class OpenModels(string first, ModelOptions options) : IDisposable
{
    private const int Most = 4, LongestPath = 4096;
    private readonly Lock _lock = new();
    private readonly List<Opened> _models = [];

    /// <summary>A model to work with until the lease is disposed of.</summary>
    /// <param name="path">The model; null or empty for the first.</param>
    /// <param name="guidance">Weight of classifier-free guidance; null for none.</param>
    /// <exception cref="InvalidInputException">There is no such model, or it knows no guidance.</exception>
    public ModelLease Take(string? path, double? guidance)
    {
        path = string.IsNullOrWhiteSpace(path) ? first : path.Trim();
        if (path.Length > LongestPath || path.Any(char.IsControl))
            throw new InvalidInputException("That is no path of a model.");
        lock (_lock)
        {
            var opened = _models.Find(m => m.Path == path && m.Guidance == guidance);
            if (opened is null)
            {
                opened = new Opened(path, guidance, Open(path, guidance));
                while (_models.Count >= Most && _models.Find(m => m.Users == 0) is { } idle)
                {
                    _models.Remove(idle);
                    idle.Model.Dispose();
                }
            }

            _models.Remove(opened);
            _models.Add(opened);
            opened.Users++;
            return new ModelLease(opened.Model, () => Return(opened));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _models.ForEach(m => m.Model.Dispose());
            _models.Clear();
        }
    }

    private Model Open(string path, double? guidance)
    {
        // What was said about the first model's file holds for no other.
        var own = path == first ? options : options with
        { Checkpoint = new ModelReadOptions(), Onnx = new OnnxModelDescription(), Prompts = null, Provider = null };
        if (guidance is double weight)
        {
            own = own with { Guidance = new Guidance { Weight = weight } };
            own.Guidance.Validate();
        }

        var model = Model.Open(path, own);
        if (model.Shape.Channels is 1 or 3)
            return model;
        string shape = $"{model.Shape}";
        model.Dispose();
        throw new InvalidInputException($"{path} makes images of {shape}; the studio shows those with 1 or 3 channels.");
    }

    private void Return(Opened opened)
    {
        lock (_lock)
        {
            opened.Users--;
        }
    }

    private sealed class Opened(string path, double? guidance, Model model)
    {
        public string Path => path;
        public double? Guidance => guidance;
        public Model Model => model;
        public int Users { get; set; }
    }
}

/// <summary>The right to use a model until it is disposed of.</summary>
internal sealed class ModelLease(Model model, Action giveBack) : IDisposable
{
    private Action? _giveBack = giveBack;

    public Model Model => model;
    public void Dispose() => Interlocked.Exchange(ref _giveBack, null)?.Invoke();
}
