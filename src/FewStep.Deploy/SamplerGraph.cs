using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace FewStep.Deploy;

/// <summary>A sampler graph in ONNX Runtime, whose failures are one line each. Thread-safe.</summary>
internal sealed class SamplerGraph : IDisposable
{
    private const string Latents = "latents", Labels = "labels", Images = "images";
    private static readonly Lock EnvironmentLock = new();
    private readonly string _path;
    private readonly InferenceSession _session;
    private readonly Lock? _turns;

    private SamplerGraph(string path, InferenceSession session, ExecutionProvider provider)
    {
        (_path, _session) = (path, session);
        _turns = provider == ExecutionProvider.DirectML ? new Lock() : null;
        Description = SamplerDescription.Read(path, session.ModelMetadata.CustomMetadataMap);
        CheckSignature();
    }

    public SamplerDescription Description { get; }

    public static SamplerGraph Open(string path, FewStepSamplerOptions options)
    {
        // The system tells a pipe or a device from a file only by its size, which is 0.
        var file = new FileInfo(path);
        var target = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo;
        if (target is not { Exists: true })
            throw new SamplerGraphException($"There is no file {path}; {SamplerDescription.HowToMake}.");
        if (target.Length == 0)
            throw new SamplerGraphException($"{path} is empty, or a pipe or device; {SamplerDescription.HowToMake}.");
        var session = Load(path, options);
        try
        {
            return new SamplerGraph(path, session, options.Provider);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <param name="latents">[count, C, H, W].</param>
    /// <param name="labels">[count], as the graph wants them; null for a graph without classes.</param>
    /// <param name="images">[count, C, H, W]; filled.</param>
    public void Run(Memory<float> latents, long[]? labels, Memory<float> images, CancellationToken cancellation)
    {
        var shape = Description;
        long[] sizes = [latents.Length / shape.Dimension, shape.Channels, shape.Height, shape.Width];
        using var noise = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, latents, sizes);
        using var classes = labels is null ? null
            : OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, labels.AsMemory(), [labels.Length]);
        using var result = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, images, sizes);
        using var run = new RunOptions();
        using var stop = cancellation.Register(() => run.Terminate = true);
        try
        {
            _turns?.Enter();
            try
            {
                if (classes is null)
                    _session.Run(run, [Latents], [noise], [Images], [result]);
                else
                    _session.Run(run, [Latents, Labels], [noise, classes], [Images], [result]);
            }
            finally
            {
                _turns?.Exit();
            }
        }
        catch (OnnxRuntimeException e) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException("The images were no longer wanted.", e, cancellation);
        }
        catch (OnnxRuntimeException e)
        {
            throw new SamplerGraphException($"{_path} failed: {SamplerDescription.Line(e.Message)}", e);
        }
    }

    public void Dispose() => _session.Dispose();

    private static InferenceSession Load(string path, FewStepSamplerOptions choice)
    {
        try
        {
            PrepareEnvironment();
            using var options = new SessionOptions
            {
                IntraOpNumThreads = choice.Threads,
                InterOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, // what fails is thrown, and said once
            };
            // Waiting threads would take the processor from the requests of a server, and from other programs.
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            Append(choice, options);
            return new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new SamplerGraphException(
                $"{path} cannot be loaded by ONNX Runtime ({SamplerDescription.Line(e.Message)}); {SamplerDescription.HowToMake}.", e);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            throw new SamplerGraphException(
                $"ONNX Runtime cannot be loaded on this system ({SamplerDescription.Line((e.InnerException ?? e).Message)}); publish for "
                    + $"this platform ({RuntimeInformation.RuntimeIdentifier}), or reference a package with its native library.", e);
        }
    }

    private static void Append(FewStepSamplerOptions choice, SessionOptions options)
    {
        if (choice.Provider == ExecutionProvider.Cpu)
            return;
        var (name, package) = choice.Provider == ExecutionProvider.Cuda
            ? ("CUDAExecutionProvider", "Microsoft.ML.OnnxRuntime.Gpu") : ("DmlExecutionProvider", "Microsoft.ML.OnnxRuntime.DirectML");
        string[] there = OrtEnv.Instance().GetAvailableProviders();
        if (!there.Contains(name))
        {
            throw new SamplerGraphException(
                $"{choice.Provider} was asked for, and this program's ONNX Runtime has {string.Join(", ", there)} alone; reference "
                    + $"{package} in place of Microsoft.ML.OnnxRuntime (docs/deploy.md), or choose the provider Cpu.");
        }

        try
        {
            if (choice.Provider == ExecutionProvider.DirectML)
            {
                options.EnableMemoryPattern = false; // as DirectML demands
                options.AppendExecutionProvider_DML(choice.Device);
                return;
            }

            using var cuda = new OrtCUDAProviderOptions();
            cuda.UpdateOptions(new Dictionary<string, string>
            {
                ["device_id"] = choice.Device.ToString(CultureInfo.InvariantCulture),
                ["use_tf32"] = "0",
            });
            options.AppendExecutionProvider_CUDA(cuda);
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException)
        {
            throw new SamplerGraphException($"{choice.Provider} (device {choice.Device}) cannot be used: "
                + $"{SamplerDescription.Line(e.Message)}; choose the provider Cpu.", e);
        }
    }

    private static void PrepareEnvironment()
    {
        lock (EnvironmentLock)
        {
            if (OrtEnv.IsCreated)
                return;
            var options = new EnvironmentCreationOptions { logId = "fewstep", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            OrtEnv.CreateInstanceWithOptions(ref options);
            OrtEnv.Instance().DisableTelemetryEvents();
        }
    }

    // What is told of itself and what it takes must be the same, or a call would read beyond its values.
    private void CheckSignature()
    {
        var (inputs, outputs) = (_session.InputMetadata, _session.OutputMetadata);
        bool fits = inputs.Count == (Description.Classes > 0 ? 2 : 1)
            && inputs.GetValueOrDefault(Latents) is { } latents && IsImage(latents)
            && outputs.GetValueOrDefault(Images) is { } images && IsImage(images)
            && (Description.Classes == 0 || inputs.GetValueOrDefault(Labels) is { Dimensions.Length: 1 } labels
                && labels.ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64 && labels.Dimensions[0] <= 0);
        if (!fits)
        {
            string labelled = Description.Classes > 0 ? $" and {Labels}" : "";
            throw new SamplerGraphException($"{_path} says that it is a sampler graph, but does not take {Latents} "
                + $"[batch,{Description.Channels},{Description.Height},{Description.Width}]{labelled} "
                + $"for {Images} of that size; {SamplerDescription.HowToMake}.");
        }
    }

    private bool IsImage(NodeMetadata node) =>
        node.ElementDataType == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float && node.Dimensions is [<= 0, var c, var h, var w]
        && (c, h, w) == (Description.Channels, Description.Height, Description.Width);
}
