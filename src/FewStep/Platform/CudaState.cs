namespace FewStep.Platform;

/// <summary>Whether this process can compute on NVIDIA GPUs.</summary>
internal sealed record CudaState(int Devices, string? Problem)
{
    public static CudaState Now()
    {
        if (!TorchLibrary.HasCuda)
        {
            return new CudaState(0, "the libtorch that is loaded computes on the processor only; build with -p:TorchDevice=cuda, or with "
                + $"-p:TorchDevice=external and {TorchFolder.Variable} naming the lib folder of a PyTorch {TorchFolder.WantedVersion} with "
                + "CUDA");
        }

        if (cuda.is_available() && cuda.device_count() is > 0 and int devices)
            return new CudaState(devices, null);
        return new CudaState(0, CudaDriver.IsInstalled
            ? "NVIDIA's driver is installed, but shows no GPU that this libtorch can use; look at nvidia-smi, CUDA_VISIBLE_DEVICES and the "
                + "driver's version"
            : "there is no NVIDIA driver (libcuda.so.1); install one, or in a container pass the GPU through");
    }
}
