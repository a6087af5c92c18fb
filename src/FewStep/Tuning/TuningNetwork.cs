using FewStep.Collectives;
using FewStep.Networks;

namespace FewStep.Tuning;

/// <summary>One network in the three parts that it plays in a tuning, each counted, on this rank.</summary>
/// <param name="trained">What of the network is trained.</param>
/// <param name="teacher">Who it learns from; null for the network as it is.</param>
/// <param name="ranks">Who tunes together; null for this process alone.</param>
internal sealed class TuningNetwork(Trainable trained, IDenoiser? teacher = null, ICollective? ranks = null)
{
    private readonly CountingDenoiser _teacher = new(teacher ?? trained.Model);
    private readonly WeightsDenoiser _studentNetwork = new(trained), _heldOutNetwork = new(trained);
    private CountingDenoiser? _student, _heldOut;

    public ICollective Ranks { get; } = ranks ?? SingleProcess.Instance;
    public NetworkDenoiser Model => trained.Model;
    public IDenoiser Teacher => _teacher;
    public TuningEvaluations Evaluations => new(_teacher.Images, _student?.Images ?? 0, _heldOut?.Images ?? 0);

    public IDenoiser Student(Tensor weights)
    {
        _studentNetwork.Weights = weights;
        return _student ??= new CountingDenoiser(_studentNetwork);
    }

    /// <summary>The network with weights that are judged on held-out data, or else evaluated without gradients.</summary>
    public IDenoiser HeldOut(Tensor weights)
    {
        _heldOutNetwork.Weights = weights;
        return _heldOut ??= new CountingDenoiser(_heldOutNetwork);
    }
}

/// <summary>A network as a denoiser with weights other than its own, differentiable in what is trained; dropout is off.</summary>
/// <param name="trained">What of the network is trained.</param>
internal sealed class WeightsDenoiser(Trainable trained) : IDenoiser
{
    /// <summary>Flat vector of what is trained, for the next evaluations; not owned.</summary>
    public Tensor? Weights { get; set; }

    public ImageShape Shape => trained.Model.Shape;
    public int Classes => trained.Model.Classes;
    public Device Device => trained.Model.Device;
    public double SigmaMin => trained.Model.SigmaMin;
    public double SigmaMax => trained.Model.SigmaMax;

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
        => trained.Denoise(Weights ?? throw new InvalidOperationException("No weights were given."), x, sigma, labels);
}
