using FewStep.Networks;

namespace FewStep.Tuning;

/// <summary>One network in the three parts that it plays in a tuning, each counted.</summary>
internal sealed class TuningNetwork(NetworkDenoiser model, IDenoiser? teacher = null)
{
    private readonly CountingDenoiser _teacher = new(teacher ?? model);
    private readonly WeightsDenoiser _studentNetwork = new(model), _heldOutNetwork = new(model);
    private CountingDenoiser? _student, _heldOut;

    public NetworkDenoiser Model => model;
    public IDenoiser Teacher => _teacher;
    public TuningEvaluations Evaluations => new(_teacher.Images, _student?.Images ?? 0, _heldOut?.Images ?? 0);

    public IDenoiser Student(Tensor weights)
    {
        _studentNetwork.Weights = weights;
        return _student ??= new CountingDenoiser(_studentNetwork);
    }

    /// <summary>The network with weights that are judged on held-out data.</summary>
    public IDenoiser HeldOut(Tensor weights)
    {
        _heldOutNetwork.Weights = weights;
        return _heldOut ??= new CountingDenoiser(_heldOutNetwork);
    }
}

/// <summary>A network as a denoiser with weights other than its own, differentiable in them; dropout is off.</summary>
/// <param name="model">The network; not disposed.</param>
internal sealed class WeightsDenoiser(NetworkDenoiser model) : IDenoiser
{
    /// <summary>Flat weights of the next evaluations; not owned.</summary>
    public Tensor? Weights { get; set; }

    public ImageShape Shape => model.Shape;
    public int Classes => model.Classes;
    public Device Device => model.Device;
    public double SigmaMin => model.SigmaMin;
    public double SigmaMax => model.SigmaMax;

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
        => model.Denoise(Weights ?? throw new InvalidOperationException("No weights were given."), x, sigma, labels);
}
