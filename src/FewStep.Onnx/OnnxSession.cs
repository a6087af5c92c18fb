using FewStep.Models;
using Microsoft.ML.OnnxRuntime;
using TensorElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace FewStep.Onnx;

/// <summary>A model loaded into ONNX Runtime, whose failures are one line each.</summary>
internal sealed class OnnxSession : IDisposable
{
    private static readonly Lock EnvironmentLock = new();
    private readonly string _path;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

    /// <param name="path">The file, and what messages call the model.</param>
    /// <param name="threads">Of the processor; 0 for as many as libtorch has.</param>
    /// <param name="content">What the file will hold; null (default) for what it holds.</param>
    /// <param name="provider">What computes it; null (default) for the processor.</param>
    public OnnxSession(string path, int threads, byte[]? content = null, OnnxProvider? provider = null)
    {
        _path = path;
        _session = Guarded("cannot be loaded", () =>
        {
            PrepareEnvironment();
            using var options = new SessionOptions
            {
                IntraOpNumThreads = threads > 0 ? threads : TorchLibrary.ThreadsInUse(),
                InterOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, // what fails is thrown, and said once
            };
            // waiting threads would take the processor from libtorch's
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            Choose(path, options, provider ?? OnnxProvider.Cpu);
            return content is null ? new InferenceSession(path, options) : new InferenceSession(content, options);
        });
    }

    public IReadOnlyDictionary<string, NodeMetadata> Inputs => _session.InputMetadata;
    public IReadOnlyDictionary<string, NodeMetadata> Outputs => _session.OutputMetadata;

    /// <summary>Evaluates the model.</summary>
    /// <param name="inputs">Name, value, element type and shape of each.</param>
    /// <returns>The output; belongs to the current dispose scope.</returns>
    public Tensor Run(IReadOnlyList<(string Name, Tensor Value, TensorElementType Element, long[] Shape)> inputs, string output)
        => Run(inputs, [output])[0];

    /// <summary>Evaluates the model for several outputs.</summary>
    /// <inheritdoc cref="Run(IReadOnlyList{ValueTuple{string, Tensor, TensorElementType, long[]}}, string)"/>
    public IReadOnlyList<Tensor> Run(
        IReadOnlyList<(string Name, Tensor Value, TensorElementType Element, long[] Shape)> inputs, IReadOnlyCollection<string> outputs)
    {
        List<OrtValue> values = [];
        try
        {
            values.AddRange(inputs.Select(i => OnnxTensors.Value(i.Value, i.Element, i.Shape)));
            List<Tensor> results = [];
            Run([.. inputs.Select(i => i.Name)], values, outputs, value => results.Add(OnnxTensors.Copy(value, _path)));
            return results;
        }
        finally
        {
            values.ForEach(value => value.Dispose());
            GC.KeepAlive(inputs);
        }
    }

    /// <summary>Evaluates the model into a tensor.</summary>
    /// <param name="result">Contiguous, on the processor, of the output's shape and type; what it held is lost.</param>
    /// <inheritdoc cref="Run(IReadOnlyList{ValueTuple{string, Tensor, TensorElementType, long[]}}, string)"/>
    public void Run(
        IReadOnlyList<(string Name, Tensor Value, TensorElementType Element, long[] Shape)> inputs, string output, Tensor result)
    {
        List<OrtValue> values = [];
        try
        {
            values.AddRange(inputs.Select(i => OnnxTensors.Value(i.Value, i.Element, i.Shape)));
            values.Add(OnnxTensors.Value(result, Outputs[output].ElementDataType, result.shape));
            using var stop = StopRequest.Token.Register(() => _run.Terminate = true);
            Guarded("failed", () =>
            {
                _session.Run(_run, [.. inputs.Select(i => i.Name)], values[..^1], [output], values[^1..]);
                return 0;
            });
        }
        finally
        {
            values.ForEach(value => value.Dispose());
            GC.KeepAlive(inputs);
            GC.KeepAlive(result);
        }
    }

    private void Run(IReadOnlyCollection<string> names, IReadOnlyCollection<OrtValue> inputs, IReadOnlyCollection<string> outputs,
        Action<OrtValue> read)
    {
        // A graph may compute for ever; it is left at its next operation.
        using var stop = StopRequest.Token.Register(() => _run.Terminate = true);
        using var results = Guarded("failed", () => _session.Run(_run, names, inputs, outputs));
        foreach (var result in results)
            read(result);
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }

    private static void PrepareEnvironment()
    {
        lock (EnvironmentLock)
        {
            if (!OrtEnv.IsCreated)
            {
                var options = new EnvironmentCreationOptions { logId = "fewstep", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
                OrtEnv.CreateInstanceWithOptions(ref options);
                OrtEnv.Instance().DisableTelemetryEvents();
            }
        }
    }

    // The processor is always there, for what the provider cannot compute.
    private static void Choose(string path, SessionOptions options, OnnxProvider provider)
    {
        var (name, package) = provider switch
        {
            OnnxProvider.Cuda => ("CUDAExecutionProvider", "Microsoft.ML.OnnxRuntime.Gpu"),
            OnnxProvider.DirectML => ("DmlExecutionProvider", "Microsoft.ML.OnnxRuntime.DirectML"),
            OnnxProvider.CoreML => ("CoreMLExecutionProvider", "Microsoft.ML.OnnxRuntime on macOS"),
            _ => ("CPUExecutionProvider", ""),
        };
        string[] there = OrtEnv.Instance().GetAvailableProviders();
        if (!there.Contains(name))
        {
            throw new InvalidInputException($"{path} cannot be computed by {name}: this ONNX Runtime has {string.Join(", ", there)}. "
                + $"Reference {package}, or leave the provider out.");
        }

        switch (provider)
        {
            case OnnxProvider.Cuda:
                options.AppendExecutionProvider_CUDA();
                break;
            case OnnxProvider.DirectML:
                options.EnableMemoryPattern = false; // which DirectML does not support
                options.AppendExecutionProvider_DML();
                break;
            case OnnxProvider.CoreML:
                options.AppendExecutionProvider("CoreML");
                break;
        }
    }

    private T Guarded<T>(string what, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (OnnxRuntimeException e) when (StopRequest.Token.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, StopRequest.Token);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidInputException($"{_path} {what}: {Printable.Line(e.Message.ReplaceLineEndings(" ").Trim())}", e);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            throw new InvalidInputException(
                $"ONNX Runtime cannot be loaded on this system ({(e.InnerException ?? e).Message.ReplaceLineEndings(" ")}); install its "
                    + "native library for this platform, or convert the model to another form.", e);
        }
    }
}
