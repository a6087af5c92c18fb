using TorchSharp;

namespace FewStep.Platform;

/// <summary>Where a user wants networks to compute: <c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
public sealed record DeviceChoice
{
    private const string CudaName = "cuda";
    private readonly bool _auto;
    private readonly int? _index;

    private DeviceChoice(bool cuda, bool auto, int? index) => (DemandsCuda, _auto, _index) = (cuda, auto, index);

    /// <summary>The first GPU where there is one that can be used, else the processor. The default.</summary>
    public static DeviceChoice Auto { get; } = new(false, true, null);

    /// <summary>The processor.</summary>
    public static DeviceChoice Cpu { get; } = new(false, false, null);

    /// <summary>Whether a GPU was asked for by name, so that nothing else will do.</summary>
    public bool DemandsCuda { get; }

    /// <summary>Reads a choice.</summary>
    /// <param name="text"><c>auto</c>, <c>cpu</c>, <c>cuda</c> (the first GPU) or <c>cuda:N</c> with N from 0.</param>
    /// <exception cref="InvalidInputException">It is none of these.</exception>
    public static DeviceChoice Parse(string text) => text switch
    {
        "auto" => Auto,
        "cpu" => Cpu,
        CudaName => new DeviceChoice(true, false, null),
        _ when text.StartsWith($"{CudaName}:", StringComparison.Ordinal)
            && byte.TryParse(text.AsSpan(CudaName.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out byte index)
            => new DeviceChoice(true, false, index),
        _ => throw new InvalidInputException($"The device {Printable.Text(text)} is none of auto, cpu, cuda and cuda:N."),
    };

    /// <summary>Finds the device, and prepares it: float32 stays float32 there, which by default a GPU's convolutions round to the 10 bits
    /// of TF32.</summary>
    /// <exception cref="InvalidInputException">A GPU was asked for, and cannot be used.</exception>
    public Device Resolve()
    {
        if (TorchLibrary.Failure is string failure)
            throw new InvalidInputException(failure);
        if (!_auto && !DemandsCuda)
            return CPU;
        var device = Resolve(CudaState.Now());
        if (device.type == DeviceType.CUDA)
        {
            backends.cudnn.allow_tf32 = false;
            backends.cuda.matmul.allow_tf32 = false;
        }

        return device;
    }

    /// <summary>The choice as it is written.</summary>
    public override string ToString() => _auto ? "auto" : !DemandsCuda ? "cpu"
        : _index is int index ? InvariantText.Of($"{CudaName}:{index}") : CudaName;

    /// <summary>A device for manifests: <c>cpu</c>, or a GPU's number with its name, memory and the newest CUDA of its driver.</summary>
    internal static string Describe(Device device) => device.type != DeviceType.CUDA
        ? device.type.ToString().ToLowerInvariant()
        : InvariantText.Of(
            $"{CudaName}:{Math.Max(0, device.index)}{(CudaDriver.Describe(Math.Max(0, device.index)) is string gpu ? $", {gpu}" : "")}");

    /// <summary>The choice of one of several processes on a machine: <c>auto</c> gives each a GPU, in turn.</summary>
    internal DeviceChoice Of(int localRank) => _auto && CudaState.Now().Devices is > 0 and int devices
        ? new DeviceChoice(true, false, localRank % devices) : this;

    /// <summary>Finds the device among what there is.</summary>
    internal Device Resolve(CudaState state)
    {
        int index = _index ?? 0;
        return (DemandsCuda, state.Devices) switch
        {
            (false, 0) => CPU,
            (true, 0) => throw new InvalidInputException($"The device {this} cannot be used: {state.Problem}."),
            _ when index >= state.Devices => throw new InvalidInputException(
                $"The device {this} cannot be used: the GPUs here are {(state.Devices == 1 ? "cuda:0 alone"
                    : InvariantText.Of($"cuda:0 to cuda:{state.Devices - 1}"))}."),
            _ => _auto || DemandsCuda ? new Device(DeviceType.CUDA, index) : CPU,
        };
    }
}
